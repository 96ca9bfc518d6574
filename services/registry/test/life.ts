import { deploymentEvents } from '@millrace/contracts/deployment';
import { evaluationEvents } from '@millrace/contracts/evaluation';
import { ingestEvents } from '@millrace/contracts/ingest';
import { monitoringEvents } from '@millrace/contracts/monitoring';
import { pipelineEvents } from '@millrace/contracts/pipeline';
import { trainingEvents } from '@millrace/contracts/training';
import type { Platform } from './service-fixture.ts';

/** What the other services tell of one model's life, as they publish it. */
export const life = (platform: Platform, modelDigest: string) => {
  const revision = (number: number, modelVersion: number) => ({
    endpoint: 'fast',
    number,
    model: 'flights',
    modelVersion,
    modelDigest,
    pipelineRunId: 'run_1',
  });
  const endpoint = (...traffic: readonly { revision: number; percent: number }[]) => ({
    name: 'fast',
    alias: 'production',
    traffic,
  });
  const publish = platform.publish.bind(platform);
  return {
    pipelineRequested: () =>
      publish(pipelineEvents.runRequested, 'run_1', {
        run: {
          id: 'run_1',
          number: 1,
          state: 'RUN_STATE_QUEUED',
          project: { project: 'flights', commit: 'c0ffee' },
          submittedBy: { name: 'user:ada', reason: '' },
        },
      }),
    datasetCreated: () =>
      publish(ingestEvents.datasetVersionCreated, 'flights@01', {
        datasetVersion: {
          id: 'flights@01',
          dataset: 'flights',
          version: 1,
          sources: [{ location: 'data/january.csv', digest: 'sha256:january', size: 10 }],
          pipelineRunId: 'run_1',
        },
        project: 'flights',
      }),
    trained: () =>
      publish(trainingEvents.runFinished, 't1', {
        run: {
          id: 't1',
          status: 'RUN_STATUS_FINISHED',
          datasetVersionId: 'flights@01',
          codeCommit: 'c0ffee',
          pipelineRunId: 'run_1',
          modelDigest,
        },
      }),
    evaluated: () =>
      publish(evaluationEvents.reportPassed, 'rep_flights_1', {
        report: {
          id: 'rep_flights_1',
          modelDigest,
          datasetVersionId: 'flights@01',
          dataDigest: 'sha256:test',
          verdict: 'VERDICT_VALIDATED',
          pipelineRunId: 'run_1',
        },
      }),
    deployed: (number: number, modelVersion: number) =>
      publish(deploymentEvents.deploymentStarted, 'fast', {
        endpoint: endpoint(),
        revision: revision(number, modelVersion),
        actor: { name: 'user:ada', reason: '' },
      }),
    promoted: (number: number, modelVersion: number) =>
      publish(deploymentEvents.deploymentPromoted, 'fast', {
        endpoint: endpoint({ revision: number, percent: 100 }),
        revision: revision(number, modelVersion),
        actor: { name: 'user:grace', reason: 'looks good' },
      }),
    rolledBack: (from: readonly [number, number], to: readonly [number, number]) =>
      publish(deploymentEvents.deploymentRolledBack, 'fast', {
        endpoint: endpoint({ revision: to[0], percent: 100 }),
        revision: revision(...from),
        restored: revision(...to),
        actor: { name: 'service:deployment', reason: '' },
        alertId: 'alert_1',
      }),
    alertRaised: (number: number) =>
      publish(monitoringEvents.alertRaised, 'alert_1', {
        alert: {
          id: 'alert_1',
          endpoint: 'fast',
          rule: 'drift',
          severity: 'SEVERITY_CRITICAL',
          state: 'ALERT_STATE_RAISED',
          revision: number,
        },
      }),
  };
};
