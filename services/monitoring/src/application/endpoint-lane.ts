import type { Outcome } from '@millrace/bus';
import { asMillraceError, ErrorCode, messageOf } from '@millrace/errors';
import type { Stored } from '@millrace/store';
import { type HoldTimes, holdMs, orderBatches, type WaitingBatch } from '../domain/batch-order.ts';
import type { MonitorDocument } from '../domain/monitor.ts';
import { isOverdue, newStreamState, type StreamState, sealOpen } from '../domain/stream-state.ts';
import { applyBatches, cutSettings } from './apply-batches.ts';
import { closeWindows } from './close-windows.ts';
import { commitState } from './commit-state.ts';
import { SketchCache } from './merged-sketch.ts';
import type { Dependencies } from './ports.ts';
import type { ReceivedBatch } from './received-batch.ts';
import { reviseWindows } from './revise-windows.ts';
import { type JoinedLabels, type LabelValues, submitLabels } from './submit-labels.ts';

interface Waiting extends WaitingBatch {
  readonly batch: ReceivedBatch;
  readonly settle: (outcome: Outcome) => void;
  readonly fail: (error: unknown) => void;
}

/** Twice the ack wait of `inference-consumer.ts`: what a killed process held is back by then. */
const holds: HoldTimes = { known: 6_000, unknown: 1_000 };

/** Bytes of batches applied in one commit: some twenty thousand records. */
const maxBytesAtOnce = 8 * 1024 * 1024;

/**
 * Milliseconds from one turn to the next while batches keep coming: those that come meanwhile share its commits. The first
 * one after a pause does not wait.
 */
const turnIntervalMs = 1_000;

/** Attempts at one commit while another process changes the same endpoint. */
const maxConflicts = 10;

/** Waits between attempts to close a window that cannot be measured, at most. */
const maxRetryMs = 60_000;

/**
 * One endpoint's inference records and labels, one thing at a time. Batches that wait together are applied in one
 * commit, so that a burst costs few; each is acknowledged only once the commit is durable.
 */
export class EndpointLane {
  readonly #endpoint: string;
  readonly #deps: Dependencies;
  readonly #cache = new SketchCache();
  #waiting: Waiting[] = [];
  #stored: Stored<StreamState> | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #turnPlanned = false;
  /** When the next turn may begin, by `performance.now()`. */
  #nextTurnAt = 0;
  #pause: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #retryAt = 0;
  #stopped = false;

  constructor(endpoint: string, deps: Dependencies) {
    this.#endpoint = endpoint;
    this.#deps = deps;
  }

  /** Resolves when the batch is durably applied, or known to be so already. */
  apply(batch: ReceivedBatch): Promise<Outcome> {
    return new Promise<Outcome>((settle, fail) => {
      const { source, sequence, droppedBefore } = batch;
      this.#waiting.push({
        batch,
        source,
        sequence,
        droppedBefore,
        settle,
        fail,
        receivedAt: this.#deps.now(),
      });
      if (this.#stopped) this.#release();
      else this.#planTurn();
    });
  }

  submitLabels(labels: LabelValues): Promise<JoinedLabels> {
    return this.#serial(async () => {
      // The predictions that they belong to may be among those that wait for their turn.
      if (this.#waiting.length > 0) await this.#applyWaiting();
      const monitor = await this.#monitor();
      if (monitor === undefined) return { joined: 0, unknown: labels.size };
      const { stored, result } = await this.#withState((state) =>
        submitLabels(this.#deps, state, monitor, labels),
      );
      this.#stored = stored;
      return result;
    });
  }

  /** Closes what is overdue and finishes what a crash left undone. */
  tick(): Promise<void> {
    return this.#serial(async () => {
      const monitor = await this.#monitor();
      if (monitor !== undefined) await this.#closeDue(monitor);
    });
  }

  /** Hands held batches back to the bus and ends what is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#pause);
    await this.#tail;
    this.#release();
  }

  #release(): void {
    for (const { settle } of this.#waiting.splice(0)) {
      settle({ kind: 'retry', reason: 'the service is stopping', unavailable: true });
    }
  }

  #serial<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  #planTurn(): void {
    if (this.#turnPlanned || this.#stopped) return;
    this.#turnPlanned = true;
    const wait = this.#nextTurnAt - performance.now();
    const begin = () => void this.#serial(() => this.#turn());
    if (wait > 0) this.#pause = setTimeout(begin, wait);
    else begin();
  }

  async #monitor(): Promise<MonitorDocument | undefined> {
    return (await this.#deps.collections.monitors.get(this.#endpoint))?.document;
  }

  /** Works on the current state; after a conflict what is remembered is read again. */
  async #withState<T>(work: (state: Stored<StreamState>) => Promise<T>): Promise<T> {
    try {
      this.#stored ??= await this.#load();
      return await work(this.#stored);
    } catch (thrown) {
      this.#stored = undefined;
      throw thrown;
    }
  }

  async #load(): Promise<Stored<StreamState>> {
    const { streams } = this.#deps.collections;
    const found = await streams.get(this.#endpoint);
    return found ?? (await streams.insert(this.#endpoint, newStreamState(this.#endpoint)));
  }

  async #turn(): Promise<void> {
    clearTimeout(this.#pause);
    this.#turnPlanned = false;
    this.#nextTurnAt = performance.now() + turnIntervalMs;
    const monitor = await this.#applyWaiting();
    if (monitor !== undefined) await this.#closeDue(monitor);
  }

  /** Settles or holds every batch that waits. Resolves to the monitor, if there is one and nothing failed. */
  async #applyWaiting(): Promise<MonitorDocument | undefined> {
    const taken = this.#waiting.splice(0);
    try {
      const monitor = await this.#monitor();
      if (monitor === undefined) {
        for (const { settle } of taken) settle({ kind: 'ignored', reason: 'nobody monitors this endpoint' });
        return undefined;
      }
      await this.#applyTaken(taken, monitor);
      return monitor;
    } catch (thrown) {
      for (const { fail } of taken) fail(thrown);
      return undefined;
    }
  }

  async #applyTaken(taken: readonly Waiting[], monitor: MonitorDocument): Promise<void> {
    const { now } = this.#deps;
    const stored = await this.#withState(async (state) => state);
    const { ready, duplicates, held } = orderBatches(stored.document, taken, now(), holds);
    this.#waiting.unshift(...held);
    for (let rest = ready; rest.length > 0; ) {
      const chunk = firstBatches(rest);
      rest = rest.slice(chunk.length);
      await this.#commit(chunk, monitor);
    }
    for (const { settle } of duplicates) settle({ kind: 'ignored', reason: 'applied before' });
    if (held.length > 0) this.#wakeUp(stored.document, held);
  }

  /** One commit for all; should that fail, one each, so that a bad batch fails alone. */
  async #commit(chunk: readonly Waiting[], monitor: MonitorDocument): Promise<void> {
    try {
      await this.#applyAll(chunk, monitor);
      for (const { settle } of chunk) settle({ kind: 'done' });
    } catch (thrown) {
      const [first] = chunk;
      if (chunk.length <= 1) first?.fail(thrown);
      else for (const one of chunk) await this.#commit([one], monitor);
    }
  }

  /** Another process of this service may have been faster: then what it committed is read, and the rest applied. */
  async #applyAll(chunk: readonly Waiting[], monitor: MonitorDocument): Promise<void> {
    const batches = chunk.map(({ batch }) => batch);
    for (let attempt = 1; ; attempt++) {
      try {
        this.#stored = await this.#withState((state) =>
          applyBatches(this.#deps, state, monitor, batches, this.#cache),
        );
        return;
      } catch (thrown) {
        if (asMillraceError(thrown).code !== ErrorCode.conflict || attempt === maxConflicts) throw thrown;
      }
    }
  }

  #wakeUp(state: StreamState, held: readonly Waiting[]): void {
    clearTimeout(this.#timer);
    const earliest = Math.min(
      ...held.map(({ receivedAt, source }) => receivedAt + holdMs(state, source, holds)),
    );
    const delay = Math.max(0, earliest - this.#deps.now());
    this.#timer = setTimeout(() => this.#planTurn(), delay);
  }

  /** A window that cannot be closed must not hold up the records: it stays sealed and is tried again later. */
  async #closeDue(monitor: MonitorDocument): Promise<void> {
    const { collections, now, log } = this.#deps;
    if (now() < this.#retryAt) return;
    try {
      await this.#withState(async (state) => {
        let current = isOverdue(state.document, now(), cutSettings(monitor))
          ? await commitState(collections, state, sealOpen(state.document))
          : state;
        current = await closeWindows(this.#deps, current, monitor, this.#cache);
        this.#stored = await reviseWindows(this.#deps, current, monitor);
      });
      this.#failures = 0;
      this.#retryAt = 0;
    } catch (thrown) {
      if (asMillraceError(thrown).code === ErrorCode.conflict) return;
      this.#failures += 1;
      this.#retryAt = now() + Math.min(maxRetryMs, 1_000 * 2 ** Math.min(10, this.#failures));
      log.error(
        { err: thrown, endpoint: this.#endpoint, reason: messageOf(thrown) },
        'closing a window failed',
      );
    }
  }
}

const firstBatches = (waiting: readonly Waiting[]): readonly Waiting[] => {
  let bytes = 0;
  const end = waiting.findIndex(({ batch }) => {
    bytes += batch.size;
    return bytes > maxBytesAtOnce;
  });
  return waiting.slice(0, end < 0 ? waiting.length : Math.max(1, end));
};
