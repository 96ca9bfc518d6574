import { EvaluationServiceService, evaluationEvents } from '@millrace/contracts/evaluation';
import { RegistryServiceService } from '@millrace/contracts/registry';
import { PythonEnvironments } from '@millrace/python-runtime';
import { readEnv, rpc, type ServiceModule } from '@millrace/service-kit';
import { z } from 'zod';
import { childJobs } from './adapters/child-jobs.ts';
import { removeLeftovers } from './adapters/leftovers.ts';
import { registryChampion } from './adapters/registry-champion.ts';
import { reportRetention, StoredReports } from './adapters/stored-reports.ts';
import { evaluateStep } from './application/evaluate-step.ts';
import { findVerdict } from './application/find-verdict.ts';
import { getReport } from './application/get-report.ts';
import { listReports } from './application/list-reports.ts';

const environment = z.object({
  /** Evaluations at once, each in a child process. */
  MILLRACE_EVALUATION_CONCURRENCY: z.coerce.number().int().min(1).max(64).default(1),
  /** Limit of the JavaScript heap of each child, MiB. */
  MILLRACE_EVALUATION_JOB_MEMORY_MB: z.coerce.number().int().min(128).default(2048),
});

export const evaluation: ServiceModule = {
  name: 'evaluation',
  setup: async ({ env, store, blobs, tempDir, now, peer }) => {
    const settings = readEnv(environment, env);
    const concurrency = settings.MILLRACE_EVALUATION_CONCURRENCY;
    const reports = new StoredReports(store);
    const jobs = childJobs({ concurrency, memoryMb: settings.MILLRACE_EVALUATION_JOB_MEMORY_MB });
    const environments = PythonEnvironments.open();
    const findChampion = registryChampion(peer('registry', RegistryServiceService));
    return {
      rpc: [
        rpc(EvaluationServiceService, {
          getReport: getReport(reports),
          listReports: listReports(reports),
          findVerdict: findVerdict(reports),
        }),
      ],
      steps: {
        handlers: {
          evaluate: evaluateStep({ ...jobs, reports, blobs, findChampion, environments, tempDir, now }),
        },
        events: evaluationEvents,
        concurrency,
      },
      storage: { retention: [reportRetention] },
      start: () => removeLeftovers(tempDir, now()),
      stop: () => jobs.close(),
    };
  },
};
