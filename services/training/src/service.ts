import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { subscription } from '@millrace/bus';
import { evaluationEvents } from '@millrace/contracts/evaluation';
import { pipelineEvents } from '@millrace/contracts/pipeline';
import { TrackingServiceService, trainingEvents } from '@millrace/contracts/training';
import { PythonEnvironments } from '@millrace/python-runtime';
import { readEnv, rpc, type ServiceModule } from '@millrace/service-kit';
import { z } from 'zod';
import { childJobs } from './adapters/child-jobs.ts';
import { readEnvironment } from './adapters/environment.ts';
import { grpcHandlers } from './adapters/grpc-handlers.ts';
import { pythonJobs } from './adapters/python-jobs.ts';
import { StoredExperiments } from './adapters/stored-experiments.ts';
import { StoredMetricHistory } from './adapters/stored-metric-history.ts';
import { StoredRuns } from './adapters/stored-runs.ts';
import { trainingStorage } from './adapters/training-storage.ts';
import { endOrphans } from './application/end-orphans.ts';
import type { TrainingContext } from './application/ports.ts';
import { recordEvaluation } from './application/record-evaluation.ts';
import { runTrainStep } from './application/run-train-step.ts';
import { runTransformStep } from './application/run-transform-step.ts';

const environment = z.object({
  /** Steps at once in this process. */
  MILLRACE_TRAINING_CONCURRENCY: z.coerce.number().int().min(1).max(64).default(2),
  /** Child processes at once, and most trials of a search at the same time; default one per core. */
  MILLRACE_TRAINING_JOBS: z.coerce.number().int().min(1).max(256).optional(),
  /** Limit of the JavaScript heap of each child, MiB; the whole child may hold twice as much. */
  MILLRACE_TRAINING_JOB_MEMORY_MB: z.coerce.number().int().min(128).default(2048),
  /** Limit of the resident memory of a Python worker and all that it starts, MiB. */
  MILLRACE_TRAINING_PYTHON_MEMORY_MB: z.coerce.number().int().min(256).default(8192),
});

export const training: ServiceModule = {
  name: 'training',
  setup: async ({ env, store, blobs, tempDir, now }) => {
    const settings = readEnv(environment, env);
    const size = settings.MILLRACE_TRAINING_JOBS ?? availableParallelism();
    // What a killed process left behind; this process is the only one that works here.
    await rm(tempDir, { recursive: true, force: true });
    const jobs = childJobs({ size, memoryMb: settings.MILLRACE_TRAINING_JOB_MEMORY_MB });
    const context: TrainingContext = {
      runs: new StoredRuns(store, now),
      experiments: new StoredExperiments(store, now),
      history: new StoredMetricHistory(store),
      jobs,
      python: pythonJobs({
        environments: PythonEnvironments.open(),
        memoryMb: settings.MILLRACE_TRAINING_PYTHON_MEMORY_MB,
      }),
      blobs,
      environment: await readEnvironment(),
      maxParallelTrials: size,
      tempDir,
      now,
    };
    return {
      consumers: [
        {
          name: 'training-orphans',
          subscriptions: [
            subscription(pipelineEvents.runSucceeded, endOrphans(context.runs)),
            subscription(pipelineEvents.runFailed, endOrphans(context.runs)),
            subscription(pipelineEvents.runCancelled, endOrphans(context.runs)),
          ],
        },
        {
          name: 'training-evaluations',
          subscriptions: [
            subscription(evaluationEvents.reportPassed, recordEvaluation(context)),
            subscription(evaluationEvents.reportFailed, recordEvaluation(context)),
          ],
        },
      ],
      rpc: [rpc(TrackingServiceService, grpcHandlers(context))],
      storage: trainingStorage(store),
      steps: {
        handlers: { transform: runTransformStep(context), train: runTrainStep(context) },
        events: trainingEvents,
        concurrency: settings.MILLRACE_TRAINING_CONCURRENCY,
      },
      stop: () => jobs.close(),
    };
  },
};
