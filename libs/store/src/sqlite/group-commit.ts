import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { crashPoint } from '@millrace/crash-points';
import { Unavailable } from '@millrace/errors';
import { measuredCommit, measureGroup } from '../commit-metrics.ts';
import type { Durability } from '../port.ts';
import type { Database } from './database.ts';
import { fromSqlite, isBusy, isMediumFailure } from './sqlite-error.ts';

/** Bounds how long one transaction keeps the event loop. */
const LARGEST_GROUP = 1024;
/** A store that has seen so many will see more, and gets a log with room. */
const TRANSACTIONS_BEFORE_ROOM = 64;
const FIRST_BACKOFF_MS = 10;
const LONGEST_BACKOFF_MS = 250;

interface Request {
  /** Runs inside the transaction; may run again when the transaction is repeated. */
  readonly work: () => unknown;
  readonly durability: Durability;
  readonly resolve: (result: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

type Outcome = { readonly result: unknown } | { readonly reason: unknown };

/** Thrown through a group when one request failed after it had written something. */
class Tainted {
  readonly request: Request;
  readonly reason: unknown;
  constructor(request: Request, reason: unknown) {
    this.request = request;
    this.reason = reason;
  }
}

export interface GroupCommitOptions {
  /** The service that owns the store. */
  readonly service: string;
  readonly database: Database;
  /** How long to try while another process holds the lock, milliseconds. */
  readonly busyPatienceMs: number;
  /** Called when a transaction has begun. */
  readonly onBegin: () => void;
  /** Called after each successful commit, before its requests are answered. */
  readonly onCommitted: () => void;
}

/**
 * Runs all writes requested in one turn of the event loop in one transaction with one fsync, or with none where no request
 * needs it. A request that throws fails alone. Requests are answered after COMMIT, so that nothing is acknowledged that is
 * not durable; a failed COMMIT fails all of them and changes nothing.
 */
export class GroupCommit {
  readonly #service: string;
  readonly #database: Database;
  readonly #busyPatienceMs: number;
  readonly #onBegin: () => void;
  readonly #onCommitted: () => void;
  #queue: Request[] = [];
  /** They go with the next group that others ask for, or when the timer ends. */
  #soon: Request[] = [];
  #soonTimer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #closed = false;
  #transactions = 0;

  constructor({ service, database, busyPatienceMs, onBegin, onCommitted }: GroupCommitOptions) {
    this.#service = service;
    this.#database = database;
    this.#busyPatienceMs = busyPatienceMs;
    this.#onBegin = onBegin;
    this.#onCommitted = onCommitted;
  }

  /** Rejects with what `work` throws, or with the failure of the transaction. */
  run<R>(work: () => R, durability: Durability = 'full'): Promise<R> {
    if (this.#closed) return Promise.reject(new Unavailable('store: it is closed'));
    return measuredCommit(this.#service, () => this.#enqueue(work, durability));
  }

  /**
   * Like `run` with delayed durability, but takes no transaction of its own when another comes within so many milliseconds.
   * `work` is to write what is true when it runs.
   */
  runSoon<R>(work: () => R, withinMs: number): Promise<R> {
    if (this.#closed) return Promise.reject(new Unavailable('store: it is closed'));
    return new Promise<R>((resolve, reject) => {
      this.#soon.push({ work, durability: 'delayed', resolve: resolve as Request['resolve'], reject });
      if (withinMs === 0) this.#takeSoon();
      else this.#soonTimer ??= setTimeout(() => this.#takeSoon(), withinMs);
    });
  }

  #enqueue<R>(work: () => R, durability: Durability): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      this.#queue.push({ work, durability, resolve: resolve as Request['resolve'], reject });
      this.#running ??= this.#drain();
    });
  }

  #takeSoon(): void {
    clearTimeout(this.#soonTimer);
    this.#soonTimer = undefined;
    this.#queue.push(...this.#soon.splice(0));
    if (this.#queue.length > 0) this.#running ??= this.#drain();
  }

  /** Takes no more requests and resolves when those taken are answered. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#takeSoon();
    await this.#running;
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      await nextTurn();
      this.#takeSoon();
      const group = this.#queue.splice(0, LARGEST_GROUP);
      measureGroup(this.#service, group.length);
      await this.#commitGroup(group);
    }
    this.#running = undefined;
  }

  async #commitGroup(group: readonly Request[]): Promise<void> {
    try {
      const outcomes = await this.#patiently(() => this.#transact(group));
      this.#onCommitted();
      group.forEach((request, position) => {
        answer(request, outcomes[position]!);
      });
    } catch (thrown) {
      if (thrown instanceof Tainted && group.length > 1) {
        await this.#commitGroup(group.filter((request) => request !== thrown.request));
        await this.#commitGroup([thrown.request]);
        return;
      }
      const reason = thrown instanceof Tainted ? thrown.reason : thrown;
      for (const request of group) request.reject(reason);
    }
  }

  async #patiently<R>(attempt: () => R): Promise<R> {
    const deadline = performance.now() + this.#busyPatienceMs;
    for (let wait = FIRST_BACKOFF_MS; ; wait = Math.min(wait * 2, LONGEST_BACKOFF_MS)) {
      try {
        return attempt();
      } catch (thrown) {
        if (!isBusy(thrown) || performance.now() + wait > deadline) throw thrown;
        await delay(wait);
      }
    }
  }

  #transact(group: readonly Request[]): readonly Outcome[] {
    try {
      this.#database.begin(group.some(({ durability }) => durability === 'full') ? 'full' : 'delayed');
      this.#onBegin();
      this.#transactions += 1;
      if (this.#transactions === TRANSACTIONS_BEFORE_ROOM) this.#database.makeLogRoom();
      const outcomes = group.map((request) => this.#attempt(request));
      crashPoint('before-commit');
      this.#database.commit();
      crashPoint('after-commit');
      return outcomes;
    } finally {
      this.#database.rollback();
    }
  }

  #attempt(request: Request): Outcome {
    const before = this.#database.writes;
    try {
      const result = request.work();
      crashPoint('mid-batch');
      return { result };
    } catch (thrown) {
      if (isMediumFailure(thrown) || !this.#database.inTransaction) throw fromSqlite(thrown);
      if (this.#database.writes !== before) throw new Tainted(request, thrown);
      return { reason: thrown };
    }
  }
}

const answer = (request: Request, outcome: Outcome): void => {
  if ('reason' in outcome) request.reject(outcome.reason);
  else request.resolve(outcome.result);
};
