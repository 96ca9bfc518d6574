import { createHash } from 'node:crypto';
import type { TailedEvent } from '@millrace/bus';
import type { MillraceClient, ShownDeadLetter } from '@millrace/client';
import type { PageRequest } from '@millrace/contracts/common';
import type { GetEndpointResponse } from '@millrace/contracts/deployment';
import type { Report } from '@millrace/contracts/evaluation';
import type { DatasetVersion } from '@millrace/contracts/ingest';
import type { Alert, Monitor } from '@millrace/contracts/monitoring';
import type { Run } from '@millrace/contracts/pipeline';
import type {
  AliasMove,
  AuditRecord,
  Model,
  ModelVersion,
  VerifyAuditResponse,
} from '@millrace/contracts/registry';
import type { Run as TrainingRun } from '@millrace/contracts/training';
import { NotFound } from '@millrace/errors';
import { auditRecords } from '../../support/audit.ts';
import type { TestInstallation } from '../../support/installation.ts';

/** The final state, read back over the public API, and the event log that it is compared with. */
export interface Evidence {
  readonly client: MillraceClient;
  readonly dataDir: string;
  readonly events: readonly TailedEvent[];
  readonly runs: readonly Run[];
  readonly trainingRuns: readonly TrainingRun[];
  readonly datasetVersions: readonly DatasetVersion[];
  readonly reports: readonly Report[];
  readonly models: readonly Model[];
  readonly modelVersions: readonly ModelVersion[];
  readonly aliasMoves: readonly AliasMove[];
  readonly endpoints: readonly GetEndpointResponse[];
  readonly monitors: readonly Monitor[];
  readonly alerts: readonly Alert[];
  readonly audit: readonly AuditRecord[];
  readonly auditVerdict: VerifyAuditResponse;
  readonly deadLetters: readonly ShownDeadLetter[];
}

const pageLimit = 500;

/** Every item of a list that comes in pages. */
const all = async <T>(
  read: (page: PageRequest) => Promise<{ items: readonly T[]; cursor: string | undefined }>,
): Promise<readonly T[]> => {
  const found: T[] = [];
  for (let cursor = ''; ; ) {
    const page = await read({ limit: pageLimit, cursor });
    found.push(...page.items);
    cursor = page.cursor ?? '';
    if (cursor === '') return found;
  }
};

/** Reads everything that a service or a projection answers for. */
export const collectEvidence = async ({ client, dataDir, log }: TestInstallation): Promise<Evidence> => {
  const { pipeline, training, ingest, evaluation, registry, deployment, monitoring } = client;
  const models = await all(async (page) => {
    const answer = await registry.listModels({ page });
    return { items: answer.models, cursor: answer.page?.nextCursor };
  });
  const datasets = await all(async (page) => {
    const answer = await ingest.listDatasets({ page });
    return { items: answer.datasets, cursor: answer.page?.nextCursor };
  });
  const endpoints = await all(async (page) => {
    const answer = await deployment.listEndpoints({ page });
    return { items: answer.endpoints, cursor: answer.page?.nextCursor };
  });
  // One after the other: the checker must not be what opens hundreds of connections.
  const ofEach = async <T, R>(items: readonly T[], read: (item: T) => Promise<readonly R[]>) => {
    const found: R[] = [];
    for (const item of items) found.push(...(await read(item)));
    return found;
  };
  return {
    client,
    dataDir,
    events: [...log.events],
    models,
    runs: await all(async (page) => {
      const answer = await pipeline.listRuns({ page });
      return { items: answer.runs, cursor: answer.page?.nextCursor };
    }),
    trainingRuns: await all(async (page) => {
      const answer = await training.searchRuns({ includeNested: true, page });
      return { items: answer.runs, cursor: answer.page?.nextCursor };
    }),
    datasetVersions: await ofEach(datasets, ({ name }) =>
      all(async (page) => {
        const answer = await ingest.listDatasetVersions({ dataset: name, page });
        return { items: answer.datasetVersions, cursor: answer.page?.nextCursor };
      }),
    ),
    reports: await all(async (page) => {
      const answer = await evaluation.listReports({ page });
      return { items: answer.reports, cursor: answer.page?.nextCursor };
    }),
    modelVersions: await ofEach(models, ({ name }) =>
      all(async (page) => {
        const answer = await registry.listModelVersions({ model: name, page });
        return { items: answer.modelVersions, cursor: answer.page?.nextCursor };
      }),
    ),
    aliasMoves: await ofEach(models, ({ name }) =>
      all(async (page) => {
        const answer = await registry.listAliasHistory({ model: name, page });
        return { items: answer.moves, cursor: answer.page?.nextCursor };
      }),
    ),
    endpoints: await ofEach(endpoints, async ({ name }) => [await deployment.getEndpoint({ name })]),
    monitors: await ofEach(endpoints, async ({ name }) => {
      const answer = await monitoring.getMonitor({ endpoint: name }).catch((thrown: unknown) => {
        if (thrown instanceof NotFound) return { monitor: undefined };
        throw thrown;
      });
      return answer.monitor === undefined ? [] : [answer.monitor];
    }),
    alerts: await all(async (page) => {
      const answer = await monitoring.listAlerts({ page });
      return { items: answer.alerts, cursor: answer.page?.nextCursor };
    }),
    audit: await auditRecords(client),
    auditVerdict: await registry.verifyAudit({}),
    deadLetters: await client.deadLetters(1_000),
  };
};

/** `sha256:…` of some bytes. */
export const digestOfBytes = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
