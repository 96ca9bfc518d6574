import type { Actor } from '@millrace/contracts/common';
import type { BlobCount, Garbage, MissingBlob } from '@millrace/contracts/pipeline';

/** How long things are kept, milliseconds. */
export interface RetentionSettings {
  /** Least age of what is put aside, and least time that it stays aside; longer than any work holds what it has not said. */
  readonly graceMs: number;
  /** By period; one that is absent has no end. */
  readonly periodsMs: Readonly<Record<string, number>>;
  /** Published events; absent: for ever. */
  readonly eventsMs?: number;
  /** Events published within this time keep what they refer to. */
  readonly recentEventsMs: number;
}

export type GarbageCollectionState = 'running' | 'succeeded' | 'failed';

/** One collection as it is stored. Times are milliseconds since the epoch. */
export interface GarbageCollectionRecord {
  readonly id: string;
  readonly dryRun: boolean;
  readonly state: GarbageCollectionState;
  readonly phase: string;
  readonly startedBy: Actor;
  readonly startedAt: number;
  readonly finishedAt?: number;
  readonly error: string;
  /** Set while it runs, and unique, so that there is one at a time. */
  readonly slot?: string;
  /** After this time another process may go on with it. */
  readonly leaseUntil: number;
  readonly resumed: number;
  readonly findings: Findings;
}

/** Details of so many are kept; the rest is counted. */
export const maxDetails = 500;

/** What a collection did, or would. */
export interface Findings {
  readonly documentsExamined: number;
  readonly documentsRemoved: number;
  readonly eventsRemoved: number;
  readonly kept: BlobCount;
  readonly retired: BlobCount;
  readonly waiting: BlobCount;
  readonly restored: BlobCount;
  readonly purged: BlobCount;
  readonly garbage: readonly Garbage[];
  readonly garbageTotal: number;
  readonly missing: readonly MissingBlob[];
  readonly missingTotal: number;
}

const none: BlobCount = { blobs: 0, bytes: 0 };

export const noFindings: Findings = {
  documentsExamined: 0,
  documentsRemoved: 0,
  eventsRemoved: 0,
  kept: none,
  retired: none,
  waiting: none,
  restored: none,
  purged: none,
  garbage: [],
  garbageTotal: 0,
  missing: [],
  missingTotal: 0,
};

export const withGarbage = (findings: Findings, garbage: Garbage): Findings => ({
  ...findings,
  garbage: findings.garbage.length < maxDetails ? [...findings.garbage, garbage] : findings.garbage,
  garbageTotal: findings.garbageTotal + 1,
});

export const withMissing = (findings: Findings, missing: MissingBlob): Findings => ({
  ...findings,
  missing: findings.missing.length < maxDetails ? [...findings.missing, missing] : findings.missing,
  missingTotal: findings.missingTotal + 1,
});

export const counting = (count: BlobCount, bytes: number): BlobCount => ({
  blobs: count.blobs + 1,
  bytes: count.bytes + bytes,
});
