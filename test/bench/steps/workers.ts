import { evaluationEvents } from '@millrace/contracts/evaluation';
import { ingestEvents } from '@millrace/contracts/ingest';
import { registryEvents } from '@millrace/contracts/registry';
import { trainingEvents } from '@millrace/contracts/training';
import type { ServiceModule, StepHandler } from '@millrace/service-kit';

const services = [
  { name: 'ingest', steps: ['ingest', 'split'], events: ingestEvents },
  { name: 'training', steps: ['transform', 'train'], events: trainingEvents },
  { name: 'evaluation', steps: ['evaluate'], events: evaluationEvents },
  { name: 'registry', steps: ['register'], events: registryEvents },
] as const;

/** Steps of one run, in their order. */
export const stepNames: readonly string[] = services.flatMap(({ steps }) => [...steps]);

/** Services whose steps do only what `work` does; claim, lease, result and events are those of every worker. */
export const workersDoing = (work: StepHandler): readonly ServiceModule[] =>
  services.map(({ name, steps, events }) => ({
    name,
    setup: async () => ({
      steps: { handlers: Object.fromEntries(steps.map((step) => [step, work])), events, concurrency: 4 },
    }),
  }));
