import { createHash } from 'node:crypto';
import type { MillraceClient } from '@millrace/client';
import { auditRecords } from '../../support/audit.ts';

/** A kind of small durable write, told apart by its number, and how it is read back over the public API. */
export interface WriteKind {
  readonly name: string;
  /** Makes it: safe to repeat with the same number. */
  write(number: number): Promise<unknown>;
  /** How often the effect of each number is there; `candidates` are those worth asking for one by one. */
  find(candidates: readonly number[]): Promise<ReadonlyMap<number, number>>;
  /** Whether repeating a write that was done makes a second record, as an audited change of a policy does. */
  readonly repeatIsRecorded?: boolean;
}

const longestExpiryDays = 3_650;
const metric = 'beat';
const pageLimit = 1_000;

/** Metrics of a training run, audited policies of a model, and blobs: a service, a projection, a file. */
export const standardWrites = (
  client: MillraceClient,
  trainingRunId: string,
  model: string,
): readonly WriteKind[] => [
  metricWrites(client, trainingRunId),
  policyWrites(client, model),
  blobWrites(client),
];

const countOf = (numbers: Iterable<number>): ReadonlyMap<number, number> => {
  const counts = new Map<number, number>();
  for (const number of numbers) counts.set(number, (counts.get(number) ?? 0) + 1);
  return counts;
};

export const metricWrites = (client: MillraceClient, runId: string): WriteKind => ({
  name: 'metric',
  write: async (step) => {
    // The same time in a repetition: it is the same measurement.
    const time = new Date(Date.UTC(2013, 0, 1) + step * 1_000).toISOString();
    await client.training.logBatch({ runId, metrics: [{ key: metric, value: step, step, time }] });
  },
  find: async () => {
    const found: number[] = [];
    for (let cursor = ''; ; ) {
      const { metrics, page } = await client.training.getMetricHistory({
        runId,
        key: metric,
        page: { limit: pageLimit, cursor },
      });
      for (const { step, value } of metrics) {
        if (step !== value) throw new Error(`metric ${step} has the value ${value} that nobody wrote`);
        found.push(step);
      }
      cursor = page?.nextCursor ?? '';
      if (cursor === '') return countOf(found);
    }
  },
});

export const policyWrites = (client: MillraceClient, model: string): WriteKind => ({
  name: 'audited policy',
  repeatIsRecorded: true,
  write: async (number) => {
    await client.registry.setPolicy({
      model,
      policy: { requiredApprovals: 1, approvalExpiryDays: number % longestExpiryDays },
      actor: { reason: `policy ${number}` },
    });
  },
  find: async () => {
    const found: number[] = [];
    for (const { action, actor } of await auditRecords(client)) {
      const number = /^policy (\d+)$/.exec(actor?.reason ?? '')?.[1];
      if (action === 'policy.changed' && number !== undefined) found.push(Number(number));
    }
    return countOf(found);
  },
});

export const blobWrites = (client: MillraceClient): WriteKind => {
  const bytesOf = (number: number) => new TextEncoder().encode(`blob ${number} of a fault test\n`.repeat(50));
  const digestOf = (number: number) => `sha256:${createHash('sha256').update(bytesOf(number)).digest('hex')}`;
  return {
    name: 'blob',
    write: (number) => client.uploadBytes(digestOf(number), bytesOf(number)),
    find: async (candidates) => {
      const found: number[] = [];
      for (const number of candidates) {
        if ((await client.blobSize(digestOf(number))) === bytesOf(number).length) found.push(number);
      }
      return countOf(found);
    },
  };
};
