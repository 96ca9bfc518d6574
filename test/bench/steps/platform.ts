import { openFsBlobStore } from '@millrace/blobs';
import { testBroker } from '@millrace/broker';
import { PipelineServiceService, type Run, RunState } from '@millrace/contracts/pipeline';
import type { ProjectSnapshot } from '@millrace/contracts/step';
import { pipeline } from '@millrace/pipeline';
import { buildManifest, encodeManifest } from '@millrace/recipe';
import {
  PeerChannel,
  readSettings,
  type ServiceModule,
  type StepHandler,
  startService,
} from '@millrace/service-kit';
import { mustHold, VoidRun } from '../harness/benchmark.ts';
import { stepNames, workersDoing } from './workers.ts';

const actor = { name: 'user:bench', reason: '' };

const recipe = (seed: number): string => `recipe: regression/v1
target_col: y
seed: ${seed}
steps:
  ingest:
    using: csv
    location: data/a.csv
  train:
    using: linear/ridge
`;

/** The pipeline service and workers in this process, as in the embedded mode; broker, stores and blobs are real. */
export interface StepPlatform {
  /** Does one run of all steps, none of them cached, and resolves when it has ended. */
  run(): Promise<Run>;
  readonly natsUrl: string;
  stop(): Promise<void>;
}

export const startStepPlatform = async (directory: string, work: StepHandler): Promise<StepPlatform> => {
  const broker = await testBroker();
  const env = {
    MILLRACE_DATA_DIR: directory,
    NATS_URL: broker.url,
    MILLRACE_GRPC_PORT: '0',
    MILLRACE_HTTP_PORT: '0',
    MILLRACE_LOG_LEVEL: 'error',
  };
  const start = (module: ServiceModule) => startService(module, readSettings(module.name, env), env);
  const services = await Promise.all([pipeline, ...workersDoing(work)].map(start));
  const grpcPort = services.find(({ name }) => name === 'pipeline')?.grpcPort ?? 0;
  const channel = new PeerChannel('pipeline', () => `127.0.0.1:${grpcPort}`);
  const client = channel.service(PipelineServiceService);
  const blobs = await openFsBlobStore({ directory: `${directory}/blobs` });

  const snapshotOf = async (seed: number): Promise<ProjectSnapshot> => {
    const encoder = new TextEncoder();
    const files = [
      ['recipe.yaml', recipe(seed)],
      ['data/a.csv', `y,x\n1,${seed}\n`],
    ] as const;
    const stored = await Promise.all(
      files.map(async ([path, text]) => ({ path, ...(await blobs.put(encoder.encode(text))) })),
    );
    const { digest } = await blobs.put(encodeManifest(buildManifest(stored)));
    return { project: 'bench', manifestDigest: digest, commit: '', dirtyDigest: '' };
  };

  let runs = 0;
  return {
    natsUrl: broker.url,
    run: async () => {
      runs += 1;
      const { run } = await client.submitRun({
        // Other data and another seed give other fingerprints: the cache is asked, and has nothing.
        snapshot: await snapshotOf(runs),
        profile: '',
        fromStep: '',
        toStep: '',
        noCache: false,
        actor,
        idempotencyKey: '',
      });
      return untilEnded(run?.id ?? '', async (id) => (await client.getRun({ id })).run);
    },
    stop: async () => {
      channel.close();
      for (const service of services.reverse()) await service.stop();
      await blobs.close();
      await broker.stop();
    },
  };
};

/** Milliseconds between looks at a run; it is not timed by them. */
const lookMs = 20;

const untilEnded = async (id: string, get: (id: string) => Promise<Run | undefined>): Promise<Run> => {
  for (;;) {
    const run = await get(id);
    if (run?.state === RunState.RUN_STATE_SUCCEEDED) {
      const once = run.steps.filter(({ attempt }) => attempt === 1).map(({ name }) => name);
      mustHold(once.length === stepNames.length, () => `only ${once.join(', ')} were done, and once`);
      return run;
    }
    if (run?.state === RunState.RUN_STATE_FAILED) throw new VoidRun(`a run failed: ${run.error?.message}`);
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
};
