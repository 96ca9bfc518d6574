import { setTimeout as sleep } from 'node:timers/promises';
import { Conflict } from '@millrace/errors';
import type { Collection, DocumentStore } from '@millrace/store';
import { hasEnded, incarnation, type PlacedProcess } from './process-place.ts';

/** Who forwards. Kept in the store that all bridges share. */
export interface LeaseDocument {
  /** Empty when it was given back. */
  readonly holder: string;
  /** The fencing token: rises with each change of hands. */
  readonly epoch: number;
  /** Signs of life; that it stands still is what others see of a holder that died. */
  readonly beat: number;
  /** Absent where its place cannot be told. */
  readonly process?: PlacedProcess;
}

/** Milliseconds by two clocks: one that nobody sets, and one that goes on while the machine sleeps. */
export interface Clocks {
  readonly monotonic: () => number;
  readonly wall: () => number;
}

export const systemClocks: Clocks = { monotonic: () => performance.now(), wall: () => Date.now() };

const key = 'kafka';

/** The lease's collection in a bridge's store. */
export const leaseCollection = (store: DocumentStore): Collection<LeaseDocument> =>
  store.collection<LeaseDocument>({ name: 'kafka_lease' });

export const readLease = async (leases: Collection<LeaseDocument>): Promise<LeaseDocument | undefined> =>
  (await leases.get(key))?.document;

export interface LeaseOptions {
  readonly leases: Collection<LeaseDocument>;
  /** Unique to this forwarder. */
  readonly holder: string;
  /** See `processPlace`. */
  readonly place: string | undefined;
  readonly leaseMs: number;
  readonly clocks: Clocks;
  /** Called while somebody else holds it. */
  readonly onStandby: () => void;
}

/**
 * Waits until nobody else holds the lease, and takes it. Clocks of different machines are not compared: a holder
 * counts as dead when its sign of life stands still for the lease's length by our own clock, and it stops itself a
 * quarter of that earlier by its own; at once when it was a process of this machine that has ended. Resolves
 * `undefined` when the signal aborts. Throws what the store throws.
 */
export const acquireLease = async (
  options: LeaseOptions,
  signal: AbortSignal,
): Promise<HeldLease | undefined> => {
  const { leases, holder, place, leaseMs, clocks, onStandby } = options;
  let seen: { readonly epoch: number; readonly beat: number; readonly since: number } | undefined;
  for (;;) {
    const current = await leases.get(key);
    if (signal.aborted) return undefined;
    const { epoch = 0, beat = 0 } = current?.document ?? {};
    if (seen?.epoch !== epoch || seen.beat !== beat) seen = { epoch, beat, since: clocks.monotonic() };
    const isFree = current === undefined || current.document.holder === '' || isDead(current.document, place);
    if (isFree || clocks.monotonic() - seen.since >= leaseMs) {
      const begun = { monotonic: clocks.monotonic(), wall: clocks.wall() };
      const where = place === undefined ? {} : { process: { place, pid: process.pid, incarnation } };
      const document = { holder, epoch: epoch + 1, beat: 0, ...where };
      try {
        await leases.commit({ key, expected: current?.version ?? 0, document });
        return new HeldLease(options, (current?.version ?? 0) + 1, document, begun);
      } catch (thrown) {
        if (!(thrown instanceof Conflict)) throw thrown;
      }
    } else {
      if (current.document.holder !== holder) onStandby();
      await sleep(leaseMs / 5, undefined, { signal }).catch(() => {});
    }
  }
};

const isDead = (held: LeaseDocument, place: string | undefined): boolean =>
  held.process !== undefined && held.process.place === place && hasEnded(held.process);

/** The right to forward, for as long as `valid` says so. */
export class HeldLease {
  readonly epoch: number;
  readonly #options: LeaseOptions;
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #document: LeaseDocument;
  #version: number;
  #begun: { readonly monotonic: number; readonly wall: number };
  #beating: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(
    options: LeaseOptions,
    version: number,
    document: LeaseDocument,
    begun: { readonly monotonic: number; readonly wall: number },
  ) {
    this.#options = options;
    this.#version = version;
    this.#document = document;
    this.#begun = begun;
    this.epoch = document.epoch;
    this.#timer = setInterval(() => this.#next(), options.leaseMs / 5);
  }

  /** Aborts when somebody else may hold it. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /**
   * Whether nobody else can hold it at this moment. Also false after a pause of the process or of the machine that
   * was too long, before any timer has run.
   */
  valid(): boolean {
    const { leaseMs, clocks } = this.#options;
    const age = Math.max(
      clocks.monotonic() - this.#begun.monotonic,
      // A clock set back says nothing.
      clocks.wall() - this.#begun.wall,
    );
    if (age > leaseMs * 0.75) this.#end();
    return !this.#ended;
  }

  /** Gives it back, so that another need not wait. */
  async release(): Promise<void> {
    const held = this.valid();
    this.#end();
    await this.#beating;
    if (!held) return;
    const document = { ...this.#document, holder: '' };
    // Who took it over, or finds it stand still, needs no word of ours.
    await this.#options.leases.commit({ key, expected: this.#version, document }).catch(() => {});
  }

  #end(): void {
    this.#ended = true;
    clearInterval(this.#timer);
    this.#lost.abort();
  }

  #next(): void {
    if (!this.valid()) return;
    this.#beating = this.#beating.then(() => this.#beat());
  }

  async #beat(): Promise<void> {
    const { leases, clocks } = this.#options;
    if (this.#ended) return;
    const begun = { monotonic: clocks.monotonic(), wall: clocks.wall() };
    const document = { ...this.#document, beat: this.#document.beat + 1 };
    try {
      await leases.commit({ key, expected: this.#version, document });
      this.#version += 1;
      this.#document = document;
      this.#begun = begun;
    } catch (thrown) {
      // While the store does not answer the lease runs out by itself.
      if (thrown instanceof Conflict) this.#end();
    }
  }
}
