import type { Actor } from '@millrace/contracts/common';
import { asMillraceError, Conflict, ErrorCode, messageOf, NotFound } from '@millrace/errors';
import type { Collection, NewMessage, Page, Stored } from '@millrace/store';
import type { Logger } from '@millrace/telemetry';
import { type Findings, type GarbageCollectionRecord, noFindings } from '../../domain/garbage/collection.ts';
import { type CollectorDependencies, collectGarbage } from './collect-garbage.ts';

export interface GarbageCollectionsOptions extends CollectorDependencies {
  readonly collections: Collection<GarbageCollectionRecord>;
  readonly newId: (prefix: string) => string;
  readonly finishedMessage: (collection: GarbageCollectionRecord) => NewMessage;
  readonly log: Logger;
}

/** A collection whose process has not said anything for so long is gone on with by another. */
const leaseMs = 10_000;
const reportEveryMs = 1_000;
const lookEveryMs = 2_000;
const slot = 'running';

type Running = Stored<GarbageCollectionRecord>;

/** Starts collections of garbage, one at a time, and goes on with those whose process died. */
export class GarbageCollections {
  readonly #options: GarbageCollectionsOptions;
  readonly #stopping = new AbortController();
  #work: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #isBusy = false;

  constructor(options: GarbageCollectionsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.#resumeAbandoned(), lookEveryMs);
    this.#timer.unref();
    this.#resumeAbandoned();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopping.abort();
    await this.#work;
  }

  /** @throws Conflict while another collection is under way. */
  async begin(dryRun: boolean, actor: Actor): Promise<GarbageCollectionRecord> {
    const { collections, newId, now } = this.#options;
    const id = newId('gc');
    const record: GarbageCollectionRecord = {
      id,
      dryRun,
      state: 'running',
      phase: 'mark',
      startedBy: actor,
      startedAt: now(),
      error: '',
      slot,
      leaseUntil: now() + leaseMs,
      resumed: 0,
      findings: noFindings,
    };
    try {
      this.#carryOut(await collections.insert(id, record));
    } catch (thrown) {
      if (asMillraceError(thrown).code !== ErrorCode.conflict) throw thrown;
      throw new Conflict('garbage is being collected already', {
        hint: 'See `millrace gc status`; try again when it has ended.',
      });
    }
    return record;
  }

  async get(id: string): Promise<GarbageCollectionRecord> {
    const found = await this.#options.collections.get(id);
    if (found === undefined) throw new NotFound(`there is no garbage collection "${id}"`);
    return found.document;
  }

  /** Whether one that changes things is under way. */
  async isCollecting(): Promise<boolean> {
    const { items } = await this.#options.collections.find({
      filter: { field: 'slot', op: 'eq', value: slot },
      limit: 1,
    });
    return items[0] !== undefined && !items[0].document.dryRun;
  }

  list(page: { readonly limit?: number; readonly cursor?: string }): Promise<Page<GarbageCollectionRecord>> {
    return this.#options.collections.find({ ...page, sort: { field: 'startedAt', direction: 'desc' } });
  }

  #resumeAbandoned(): void {
    if (this.#isBusy) return;
    this.#takeAbandoned().catch((thrown: unknown) => {
      this.#options.log.warn({ err: thrown }, 'collections of garbage could not be looked at');
    });
  }

  async #takeAbandoned(): Promise<void> {
    const { collections, now } = this.#options;
    const { items } = await collections.find({ filter: { field: 'slot', op: 'eq', value: slot }, limit: 1 });
    const found = items[0];
    if (found === undefined || found.document.leaseUntil > now() || this.#stopping.signal.aborted) return;
    // It begins anew: what was done already is found done.
    const document = {
      ...found.document,
      leaseUntil: now() + leaseMs,
      resumed: found.document.resumed + 1,
      findings: noFindings,
    };
    const taken = await collections.commit({ key: found.key, expected: found.version, document });
    if (taken.status === 'committed' && taken.stored !== undefined) this.#carryOut(taken.stored);
  }

  #carryOut(running: Running): void {
    this.#isBusy = true;
    this.#work = this.#collect(running)
      .catch((thrown: unknown) => {
        this.#options.log.error({ err: thrown }, 'a collection of garbage was left to be gone on with');
      })
      .finally(() => {
        this.#isBusy = false;
      });
  }

  async #collect(running: Running): Promise<void> {
    const { now } = this.#options;
    const { dryRun, startedAt } = running.document;
    let current = running;
    let reportedAt = now();
    const report = async (phase: string, findings: Findings): Promise<void> => {
      this.#stopping.signal.throwIfAborted();
      if (now() - reportedAt < reportEveryMs) return;
      reportedAt = now();
      current = await this.#save(current, { phase, findings, leaseUntil: now() + leaseMs });
    };
    try {
      const findings = await collectGarbage(this.#options, { dryRun, startedAt, report }, noFindings);
      await this.#finish(current, { state: 'succeeded', phase: '', findings });
    } catch (thrown) {
      // Whoever starts next goes on with it.
      if (this.#stopping.signal.aborted) return;
      if (asMillraceError(thrown).code === ErrorCode.conflict) return;
      this.#options.log.error({ err: thrown }, 'garbage was not collected');
      await this.#finish(current, { state: 'failed', error: messageOf(thrown) });
    }
  }

  /** Throws `Conflict` when another process has taken it over. */
  async #save(
    { key, version, document }: Running,
    change: Partial<GarbageCollectionRecord>,
    messages: readonly NewMessage[] = [],
  ): Promise<Running> {
    const saved = await this.#options.collections.commit({
      key,
      expected: version,
      document: { ...document, ...change },
      messages,
    });
    if (saved.status !== 'committed' || saved.stored === undefined) throw new Conflict('nothing was saved');
    return saved.stored;
  }

  async #finish(current: Running, change: Partial<GarbageCollectionRecord>): Promise<void> {
    const { finishedMessage, now } = this.#options;
    const { slot: _, ...rest } = current.document;
    const document = { ...rest, ...change, finishedAt: now() };
    const messages = document.dryRun ? [] : [finishedMessage(document)];
    await this.#save({ ...current, document }, {}, messages);
  }
}
