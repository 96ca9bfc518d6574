import { createHash } from 'node:crypto';
import type { MillraceClient } from '@millrace/client';
import { asMillraceError, isRetryable } from '@millrace/errors';
import { auditRecords } from '../support/audit.ts';
import { pause } from '../support/wait.ts';

/** What a client tried, and what it was told had been done. */
export interface WriteCounts {
  readonly tried: number;
  readonly acknowledged: number;
  readonly found: number;
}

/** One kind of small durable write, numbered; `found` tells which numbers the platform holds. */
interface WriteKind {
  readonly name: string;
  write(number: number): Promise<unknown>;
  found(acknowledged: readonly number[]): Promise<ReadonlySet<number>>;
}

const intervalMs = 40;
const longestExpiryDays = 3_650;
const metric = 'beat';
const pageLimit = 1_000;

/** A client that keeps writing while the platform is being killed, and remembers what was acknowledged. */
export class AcknowledgedWrites {
  readonly #kinds: readonly WriteKind[];
  readonly #acknowledged = new Map<string, number[]>();
  readonly #tried = new Map<string, number>();
  /** Failures that no crash explains. */
  readonly unexpected: string[] = [];
  #writing: Promise<void> | undefined;
  #stopped = false;
  #number = 0;

  /** Writes metrics to the training run, policies of the model, and blobs. */
  constructor(client: MillraceClient, trainingRunId: string, model: string) {
    this.#kinds = [metricWrites(client, trainingRunId), policyWrites(client, model), blobWrites(client)];
    for (const { name } of this.#kinds) this.#acknowledged.set(name, []);
  }

  start(): void {
    this.#stopped = false;
    this.#writing = this.#write();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#writing;
  }

  /** Numbers that were acknowledged and are not there; and the counts. */
  async verify(): Promise<{
    readonly lost: readonly string[];
    readonly counts: Record<string, WriteCounts>;
  }> {
    const lost: string[] = [];
    const counts: Record<string, WriteCounts> = {};
    for (const { name, found } of this.#kinds) {
      const acknowledged = this.#acknowledged.get(name) ?? [];
      const held = await found(acknowledged);
      lost.push(...acknowledged.filter((number) => !held.has(number)).map((number) => `${name} ${number}`));
      const tried = this.#tried.get(name) ?? 0;
      counts[name] = { tried, acknowledged: acknowledged.length, found: held.size };
    }
    return { lost, counts };
  }

  async #write(): Promise<void> {
    while (!this.#stopped) {
      this.#number += 1;
      const kind = this.#kinds[this.#number % this.#kinds.length];
      if (kind !== undefined) await this.#tryOne(kind, this.#number);
      await pause(intervalMs);
    }
  }

  async #tryOne({ name, write }: WriteKind, number: number): Promise<void> {
    this.#tried.set(name, (this.#tried.get(name) ?? 0) + 1);
    try {
      await write(number);
      this.#acknowledged.get(name)?.push(number);
    } catch (thrown) {
      const { code, message } = asMillraceError(thrown);
      if (!isRetryable(code)) this.unexpected.push(`${name} ${number}: ${code}: ${message}`);
    }
  }
}

const metricWrites = (client: MillraceClient, runId: string): WriteKind => ({
  name: 'metric',
  write: (step) =>
    client.training.logBatch({
      runId,
      metrics: [{ key: metric, value: step, step, time: new Date().toISOString() }],
    }),
  found: async () => {
    const found = new Set<number>();
    for (let cursor = ''; ; ) {
      const { metrics, page } = await client.training.getMetricHistory({
        runId,
        key: metric,
        page: { limit: pageLimit, cursor },
      });
      for (const { step } of metrics) found.add(step);
      cursor = page?.nextCursor ?? '';
      if (cursor === '') return found;
    }
  },
});

const policyWrites = (client: MillraceClient, model: string): WriteKind => ({
  name: 'audited policy',
  write: (number) =>
    client.registry.setPolicy({
      model,
      policy: { requiredApprovals: 1, approvalExpiryDays: number % longestExpiryDays },
      actor: { reason: `policy ${number}` },
    }),
  found: async () => {
    const found = new Set<number>();
    for (const { action, actor } of await auditRecords(client)) {
      const number = /^policy (\d+)$/.exec(actor?.reason ?? '')?.[1];
      if (action !== 'policy.changed' || number === undefined) continue;
      if (found.has(Number(number))) throw new Error(`policy ${number} is in the audit log twice`);
      found.add(Number(number));
    }
    return found;
  },
});

const blobWrites = (client: MillraceClient): WriteKind => {
  const bytesOf = (number: number) =>
    new TextEncoder().encode(`blob ${number} of the kill test\n`.repeat(50));
  const digestOf = (number: number) => `sha256:${createHash('sha256').update(bytesOf(number)).digest('hex')}`;
  return {
    name: 'blob',
    write: (number) => client.uploadBytes(digestOf(number), bytesOf(number)),
    found: async (acknowledged) => {
      const found = new Set<number>();
      for (const number of acknowledged) {
        if ((await client.blobSize(digestOf(number))) === bytesOf(number).length) found.add(number);
      }
      return found;
    },
  };
};
