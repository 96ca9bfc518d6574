import { crashPoint } from '@millrace/crash-points';
import { count } from '@millrace/telemetry';
import type { Bus, RunningPart } from './bus.ts';
import type { OutboxPort, StoredMessage } from './outbox-port.ts';
import type { Running } from './port.ts';
import { publishStored } from './publish-stored.ts';
import { publishedIds } from './published-ids.ts';
import { rebuildIfLost } from './rebuild.ts';
import { streams } from './topology.ts';
import { backoffMs, sleep, Wake } from './waiting.ts';

/** How often to look whether the streams are still those that were published to. */
const checkMs = 15_000;

/**
 * How long acknowledged messages may wait to be marked together. Marking is a durable write; after a crash
 * before it they are published again, and dropped as duplicates. Until then each reading of the outbox has to pass
 * them over, so that many must not wait for long.
 */
const markingDelayMs = { few: 250, many: 25 };
const manySent = 64;

/** A message that waited for less is surely dropped by the server when it comes twice, milliseconds. */
const surelyKnownMs = 60_000;

export interface RelayOptions {
  readonly bus: Bus;
  readonly outbox: OutboxPort;
  /** Messages read, and at most in flight, at once; default 512. */
  readonly batchSize?: number;
  /** How often to look for unsent messages that no `onCommit` announced (another process's), ms; default 1,000. */
  readonly pollMs?: number;
  /** Told of each message that the broker has taken, but not of one that it knew already. */
  readonly onPublished?: (message: StoredMessage) => void;
}

/**
 * Publishes the outbox: in commit order per entity, at least once, marked sent only after the broker's ack.
 * Entities go in parallel, each with one message in flight, so that a failed publish holds back only what
 * follows it in its entity and never overtakes it. Also re-publishes what the broker lost, at the start and
 * after each reconnect.
 */
export const startRelay = (options: RelayOptions): Running => {
  const relay = new Relay(options);
  relay.start();
  return relay;
};

class Relay implements RunningPart {
  /** Handlers that end commit events. */
  readonly stopsLast = true;
  readonly #bus: Bus;
  readonly #outbox: OutboxPort;
  readonly #batchSize: number;
  readonly #pollMs: number;
  readonly #onPublished: (message: StoredMessage) => void;
  readonly #wake = new Wake();
  readonly #stopping = new AbortController();
  #checkAt = 0;
  /** When the stream of events was made, as of the last check; unknown after a disconnect. */
  #knownStream: string | undefined;
  /** Number of the last command in its stream: a stream that ends before it lost some. */
  #lastCommand = 0;
  /** Positions that the broker has and the outbox does not know of yet. */
  readonly #sent = new Set<number>();
  #markedAt = 0;
  #marking: Promise<void> = Promise.resolve();
  #markFailure: { readonly thrown: unknown } | undefined;
  /** Whether the last batch got anything to the broker. */
  #progressed = false;
  #finished: Promise<void> = Promise.resolve();

  constructor({ bus, outbox, batchSize = 512, pollMs = 1_000, onPublished = () => {} }: RelayOptions) {
    this.#bus = bus;
    this.#outbox = outbox;
    this.#batchSize = batchSize;
    this.#pollMs = pollMs;
    this.#onPublished = onPublished;
  }

  start(): void {
    const { internals } = this.#bus;
    const ends = [
      this.#outbox.onCommit(() => this.#wake.announce()),
      internals.onReconnect(() => {
        this.#knownStream = undefined;
        this.#checkAt = 0;
        this.#wake.announce();
      }),
      internals.register(this),
    ];
    this.#finished = this.#run().finally(() => {
      for (const end of ends) end();
    });
  }

  /** Publishes what is pending now, once, then ends. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#finished;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (let failures = 0; ; ) {
      const stopping = signal.aborted;
      try {
        this.#failIfNotMarked();
        if (this.#bus.internals.connected()) {
          await this.#check();
          while ((await this.#publishBatch()) >= this.#batchSize);
        }
        failures = 0;
        if (stopping) await this.#markAll();
        else if (this.#isMarkingDue()) this.#markMeanwhile();
        if (stopping) return;
        await this.#wake.wait(this.#sent.size > 0 ? this.#markingDelayMs : this.#pollMs, signal);
      } catch (thrown) {
        if (stopping) return;
        const delayMs = backoffMs(failures, 50, 5_000);
        failures = this.#progressed ? 0 : failures + 1;
        count('millrace_outbox_publish_failures_total', { service: this.#bus.service });
        this.#bus.internals.logger.warn(
          { err: thrown, delayMs },
          'publishing from the outbox failed; will try again',
        );
        await sleep(delayMs, signal);
        this.#checkAt = 0;
      }
    }
  }

  /** Streams may be gone, and with them what was sent: a stream made anew shows by its time of birth. */
  async #check(): Promise<void> {
    if (performance.now() < this.#checkAt) return;
    const { internals } = this.#bus;
    await internals.ensureStreams();
    const { created } = await internals.jsm.streams.info(streams.events);
    if (created !== this.#knownStream) {
      const { state } = await internals.jsm.streams.info(streams.steps);
      const commandsLost = state.last_seq < this.#lastCommand;
      await rebuildIfLost({ bus: this.#bus, outbox: this.#outbox, commandsLost });
      this.#lastCommand = 0;
      await this.#recogniseSent();
      this.#knownStream = created;
    }
    this.#checkAt = performance.now() + checkMs;
  }

  /**
   * A crash between the broker's ack and the mark leaves messages that the stream has and the outbox holds for unsent.
   * The server drops them when they come again soon; after longer, they have to be looked for.
   */
  async #recogniseSent(): Promise<void> {
    const pending = await this.#outbox.pending(2 * this.#batchSize);
    const oldest = pending[0];
    if (oldest === undefined || Date.now() - Date.parse(oldest.time) < surelyKnownMs) return;
    const published = await publishedIds(this.#bus.internals, this.#bus.service, oldest.time);
    for (const { id, position } of pending) if (published.has(id)) this.#sent.add(position);
  }

  /** Returns how many were published; throws when any was not acknowledged. */
  async #publishBatch(): Promise<number> {
    // A copy: a marking that ends meanwhile takes from the set what this reading may still see.
    const batch = await this.#outbox.pending(this.#batchSize, new Set(this.#sent));
    this.#progressed = false;
    const lanes = await Promise.allSettled(
      lanesOf(batch).map(async (lane) => {
        for (const message of lane) {
          const ack = await publishStored(this.#bus, message);
          crashPoint('after-publish');
          this.#sent.add(message.position);
          if (ack?.duplicate === false) this.#onPublished(message);
          this.#progressed = true;
        }
      }),
    );
    if (this.#sent.size >= this.#batchSize) await this.#markAll();
    for (const lane of lanes) if (lane.status === 'rejected') throw lane.reason;
    return batch.length;
  }

  get #markingDelayMs(): number {
    return this.#sent.size < manySent ? markingDelayMs.few : markingDelayMs.many;
  }

  #isMarkingDue(): boolean {
    return performance.now() - this.#markedAt >= this.#markingDelayMs;
  }

  /** Publishing does not wait for the write; that it failed is told with the next turn. */
  #markMeanwhile(): void {
    this.#markAll().catch((thrown: unknown) => {
      this.#markFailure = { thrown };
      this.#wake.announce();
    });
  }

  #failIfNotMarked(): void {
    const failure = this.#markFailure;
    this.#markFailure = undefined;
    if (failure !== undefined) throw failure.thrown;
  }

  /** Marks all that is sent by now, once a marking under way has ended. */
  #markAll(): Promise<void> {
    this.#marking = this.#marking.catch(() => {}).then(() => this.#markSent());
    return this.#marking;
  }

  async #markSent(): Promise<void> {
    this.#markedAt = performance.now();
    const positions = [...this.#sent].sort((a, b) => a - b);
    if (positions.length === 0) return;
    await this.#outbox.markSent(positions);
    for (const position of positions) this.#sent.delete(position);
  }
}

/** Messages that must follow one another: an entity's events. A command waits for nothing. */
const lanesOf = (batch: readonly StoredMessage[]): readonly (readonly StoredMessage[])[] => {
  const lanes = new Map<string, StoredMessage[]>();
  for (const message of batch) {
    const name = message.entity ?? `command ${message.position}`;
    const lane = lanes.get(name);
    if (lane === undefined) lanes.set(name, [message]);
    else lane.push(message);
  }
  return [...lanes.values()];
};
