import { bridge } from '@millrace/bridge';
import { deployment } from '@millrace/deployment';
import { evaluation } from '@millrace/evaluation';
import { gateway } from '@millrace/gateway';
import { ingest } from '@millrace/ingest';
import { monitoring } from '@millrace/monitoring';
import { pipeline } from '@millrace/pipeline';
import { registry } from '@millrace/registry';
import type { ServiceModule } from '@millrace/service-kit';
import { training } from '@millrace/training';

/** Every service, in the order of their start; the gateway last, so that what it offers is there. */
export const modules: readonly ServiceModule[] = [
  ingest,
  training,
  evaluation,
  registry,
  deployment,
  monitoring,
  pipeline,
  bridge,
  gateway,
];
