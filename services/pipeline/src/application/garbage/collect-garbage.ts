import {
  type BlobInfo,
  type BlobPage,
  type BlobStore,
  type Digest,
  type ListedBlob,
  type ListQuery,
  parseDigest,
} from '@millrace/blobs';
import type { StorageServiceService } from '@millrace/contracts/storage';
import type { RpcClient } from '@millrace/service-kit';
import type { Collection } from '@millrace/store';
import { type Fate, fateOfRetired, fateOfStored } from '../../domain/garbage/blob-fate.ts';
import {
  counting,
  type Findings,
  type RetentionSettings,
  withGarbage,
  withMissing,
} from '../../domain/garbage/collection.ts';
import { type ExpiredDocument, Marking, nameOf } from '../../domain/garbage/marking.ts';
import { mentionsOfBlob, type StoredMentions } from './blob-mentions.ts';

/** A service whose documents refer to blobs. */
export interface StorageOwner {
  readonly service: string;
  readonly storage: RpcClient<typeof StorageServiceService>;
}

export interface CollectorDependencies {
  /** In the order in which their expired documents are removed: what refers comes before what is referred to. */
  readonly owners: readonly StorageOwner[];
  readonly blobs: BlobStore;
  readonly blobMentions: Collection<StoredMentions>;
  /** What people hold: `sha256:…`, ids. */
  readonly holds: () => Promise<readonly string[]>;
  readonly retention: RetentionSettings;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface CollectionTask {
  /** When the collection began, also where a process that died is followed by another. Milliseconds. */
  readonly startedAt: number;
  readonly dryRun: boolean;
  /** Told how far it is, often; what it throws ends the collection. */
  readonly report: (phase: string, findings: Findings) => Promise<void>;
}

const callMs = 60_000;
const removedAtOnce = 100;
const blobsPerPage = 1_000;

/**
 * Collects garbage: marks what is in use over all services' documents and the blobs, removes expired documents that
 * nothing in use refers to, puts unused blobs aside and purges those that were aside for long enough. Every part is
 * safe to repeat and to do twice at once. See docs/adr for why nothing in use is lost.
 */
export const collectGarbage = async (
  dependencies: CollectorDependencies,
  task: CollectionTask,
  findings: Findings,
): Promise<Findings> => {
  const collector = new Collector(dependencies, task, findings);
  await collector.mark();
  await collector.removeDocuments();
  await collector.sweepStored();
  await collector.sweepRetired();
  await collector.pruneEvents();
  return collector.findings;
};

class Collector {
  readonly #dependencies: CollectorDependencies;
  readonly #task: CollectionTask;
  readonly #marking = new Marking();
  /** When this mark began: nothing is judged by what happened since. */
  readonly #markedAt: number;
  /** Blobs aside when the mark began, and those of them that reading has brought back since. */
  readonly #aside = new Set<string>();
  readonly #takenBack = new Set<string>();
  findings: Findings;

  constructor(dependencies: CollectorDependencies, task: CollectionTask, findings: Findings) {
    this.#dependencies = dependencies;
    this.#task = task;
    this.#markedAt = dependencies.now();
    this.findings = findings;
  }

  async mark(): Promise<void> {
    const { blobs } = this.#dependencies;
    await this.#eachBlob(
      (query) => blobs.listRetired(query),
      async ({ digest }) => {
        this.#aside.add(digest);
      },
    );
    for (const subject of await this.#dependencies.holds())
      this.#marking.addRoot(subject, `hold of ${subject}`);
    for (const owner of this.#dependencies.owners) await this.#markOwner(owner);
    await this.#markBlobs();
  }

  /** Those that were changed since they were listed are in use again, with what they refer to. */
  async removeDocuments(): Promise<void> {
    for (const { service, storage } of this.#dependencies.owners) {
      const garbage = this.#marking.garbage().filter((document) => document.service === service);
      for (let start = 0; start < garbage.length; start += removedAtOnce) {
        const documents = garbage.slice(start, start + removedAtOnce);
        const removed = await this.#remove(storage, documents);
        for (const document of documents) {
          if (removed.has(`${document.collection}/${document.key}`)) this.#countDocument(document);
          else this.#marking.keep(document);
        }
        await this.#report('documents');
      }
      // What they refer to may be documents of services that come later.
      await this.#markBlobs();
    }
  }

  async sweepStored(): Promise<void> {
    const { blobs, retention } = this.#dependencies;
    await this.#sweep(
      (query) => blobs.list(query),
      ({ digest, storedAt }) =>
        fateOfStored(this.#marking.isLive(digest), this.#markedAt - Date.parse(storedAt), retention.graceMs),
    );
  }

  async sweepRetired(): Promise<void> {
    const { blobs, retention } = this.#dependencies;
    await this.#sweep(
      (query) => blobs.listRetired(query),
      ({ digest, storedAt }) =>
        fateOfRetired(this.#marking.isLive(digest), this.#markedAt - Date.parse(storedAt), retention.graceMs),
    );
  }

  async pruneEvents(): Promise<void> {
    const { owners, retention } = this.#dependencies;
    if (this.#task.dryRun || retention.eventsMs === undefined) return;
    const before = new Date(this.#markedAt - retention.eventsMs).toISOString();
    for (const { storage } of owners) {
      const { removed } = await storage.pruneEvents({ before }, { timeoutMs: callMs });
      this.findings = { ...this.findings, eventsRemoved: this.findings.eventsRemoved + removed };
      await this.#report('events');
    }
  }

  async #markOwner({ service, storage }: StorageOwner): Promise<void> {
    const { retention } = this.#dependencies;
    const expireBefore = Object.fromEntries(
      Object.entries(retention.periodsMs).map(([period, ms]) => [period, this.#markedAt - ms]),
    );
    const eventsSince = new Date(this.#markedAt - retention.recentEventsMs).toISOString();
    let cursor = '';
    do {
      const page = await storage.listDocuments({ cursor, expireBefore, eventsSince }, { timeoutMs: callMs });
      for (const document of page.documents) this.#marking.addDocument(service, document);
      const documentsExamined = this.findings.documentsExamined + page.examined;
      this.findings = { ...this.findings, documentsExamined };
      await this.#report('mark');
      cursor = page.nextCursor;
    } while (cursor !== '');
  }

  async #markBlobs(): Promise<void> {
    const { blobs, blobMentions } = this.#dependencies;
    for (let next = this.#marking.nextBlob(); next !== undefined; next = this.#marking.nextBlob()) {
      const digest = parseDigest(next);
      // What is known needs no reading, which would bring the blob back before the dry run has told of it.
      const known = this.#aside.has(digest) ? (await blobMentions.get(digest))?.document : undefined;
      const found = known ?? (await mentionsOfBlob(blobs, blobMentions, digest));
      if (found === undefined) this.#tellMissing(digest);
      else this.#marking.addBlob(digest, found);
      if (known === undefined && found !== undefined) await this.#tellTakenBack(digest);
      await this.#report('mark');
    }
  }

  #tellMissing(digest: string): void {
    const referredBy = this.#marking.referrerOf(digest);
    if (referredBy !== undefined) this.findings = withMissing(this.findings, { digest, referredBy });
  }

  async #tellTakenBack(digest: Digest): Promise<void> {
    if (!this.#aside.has(digest) || this.#takenBack.has(digest)) return;
    this.#takenBack.add(digest);
    const size = (await this.#dependencies.blobs.has(digest)) ?? 0;
    this.#count('restore', { digest, size }, fateOfRetired(true, 0, 0).reason);
  }

  async #remove(
    storage: StorageOwner['storage'],
    documents: readonly ExpiredDocument[],
  ): Promise<Set<string>> {
    const removed = this.#task.dryRun
      ? documents
      : (await storage.removeDocuments({ documents: [...documents] }, { timeoutMs: callMs })).removed;
    return new Set(removed.map(({ collection, key }) => `${collection}/${key}`));
  }

  #countDocument(document: ExpiredDocument): void {
    this.findings = withGarbage(
      { ...this.findings, documentsRemoved: this.findings.documentsRemoved + 1 },
      { name: nameOf(document), action: 'remove', reason: document.expired, size: 0 },
    );
  }

  #sweep(list: (query: ListQuery) => Promise<BlobPage>, decide: (blob: ListedBlob) => Fate): Promise<void> {
    return this.#eachBlob(list, async (blob) => {
      const { action, reason } = decide(blob);
      if (!this.#task.dryRun) await this.#carryOut(blob, action);
      if (action !== 'restore' || !this.#takenBack.has(blob.digest)) this.#count(action, blob, reason);
      await this.#report('blobs');
    });
  }

  async #eachBlob(
    list: (query: ListQuery) => Promise<BlobPage>,
    handle: (blob: ListedBlob) => Promise<void>,
  ): Promise<void> {
    let cursor = '';
    do {
      const page = await list({ limit: blobsPerPage, cursor });
      for (const blob of page.items) await handle(blob);
      cursor = page.nextCursor ?? '';
    } while (cursor !== '');
  }

  #count(action: Fate['action'], { digest, size }: BlobInfo, reason: string): void {
    const count = countOf[action];
    this.findings = { ...this.findings, [count]: counting(this.findings[count], size) };
    if (action === 'keep' || action === 'wait') return;
    this.findings = withGarbage(this.findings, { name: digest, action, reason, size });
  }

  async #carryOut({ digest, storedAt }: ListedBlob, action: Fate['action']): Promise<void> {
    const { blobs, retention } = this.#dependencies;
    if (action === 'retire') await blobs.retire(digest);
    if (action === 'restore') {
      // Asking for it takes it back. What an object store still has aside goes later, when no late answer can matter.
      const isBack = (await blobs.has(digest)) !== undefined;
      if (isBack && this.#markedAt - Date.parse(storedAt) > retention.graceMs) await blobs.purge(digest);
    }
    if (action === 'purge') await this.#purge(digest);
  }

  async #purge(digest: Digest): Promise<void> {
    const { blobs, blobMentions } = this.#dependencies;
    await blobs.purge(digest);
    if ((await blobMentions.get(digest)) !== undefined) {
      await blobMentions.update(digest, () => ({ document: null }));
    }
  }

  #report(phase: string): Promise<void> {
    return this.#task.report(phase, this.findings);
  }
}

const countOf = {
  keep: 'kept',
  retire: 'retired',
  restore: 'restored',
  wait: 'waiting',
  purge: 'purged',
} as const;
