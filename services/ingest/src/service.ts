import { ingestEvents } from '@millrace/contracts/ingest';
import { PythonEnvironments } from '@millrace/python-runtime';
import { readEnv, removeStaleDirectories, type ServiceModule } from '@millrace/service-kit';
import { z } from 'zod';
import { datasetRpc } from './adapters/dataset-rpc.ts';
import { DatasetStore, datasetRetention } from './application/dataset-store.ts';
import { ingestStep, scoringData, trainingData } from './application/run-ingest-step.ts';
import { splitStep } from './application/run-split-step.ts';
import type { StepDependencies } from './application/step-dependencies.ts';

const envSchema = z.object({
  /** Memory of one step's query engine; what does not fit spills to the temporary directory. */
  MILLRACE_INGEST_MEMORY: z
    .string()
    .regex(/^\d+(\.\d+)?(MB|GB|MiB|GiB)$/, 'must be a size such as 512MB')
    .default('1GB'),
  /** Bytes of one file fetched over HTTP. */
  MILLRACE_INGEST_MAX_DOWNLOAD_BYTES: z.coerce
    .number()
    .int()
    .positive()
    .default(2 ** 30),
  /** Milliseconds for one file fetched over HTTP. */
  MILLRACE_INGEST_DOWNLOAD_TIMEOUT_MS: z.coerce.number().int().positive().default(600_000),
  /** Limit of the resident memory of a Python worker and all that it starts, MiB. */
  MILLRACE_INGEST_PYTHON_MEMORY_MB: z.coerce.number().int().min(256).default(8192),
  /** Steps done at once by one process. */
  MILLRACE_INGEST_CONCURRENCY: z.coerce.number().int().min(1).max(64).default(2),
});

/** Reads data into immutable dataset versions and divides them; owns datasets, versions, profiles and splits. */
export const ingest: ServiceModule = {
  name: 'ingest',
  setup: async ({ env, store, blobs, tempDir, now }) => {
    const variables = readEnv(envSchema, env);
    const datasets = new DatasetStore(store);
    const dependencies: StepDependencies = {
      blobs,
      datasets,
      tempDir,
      now,
      memoryLimit: variables.MILLRACE_INGEST_MEMORY,
      downloads: {
        maxBytes: variables.MILLRACE_INGEST_MAX_DOWNLOAD_BYTES,
        timeoutMs: variables.MILLRACE_INGEST_DOWNLOAD_TIMEOUT_MS,
      },
      python: {
        environments: PythonEnvironments.open(),
        memoryMb: variables.MILLRACE_INGEST_PYTHON_MEMORY_MB,
      },
    };
    await removeStaleDirectories(tempDir, now());
    return {
      rpc: [datasetRpc(datasets)],
      storage: { retention: datasetRetention },
      steps: {
        handlers: {
          ingest: ingestStep(dependencies, trainingData),
          split: splitStep(dependencies),
          ingest_scoring: ingestStep(dependencies, scoringData),
        },
        events: ingestEvents,
        concurrency: variables.MILLRACE_INGEST_CONCURRENCY,
      },
    };
  },
};
