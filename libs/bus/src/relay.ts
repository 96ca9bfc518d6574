import { messageOf } from '@millrace/errors';
import type { Span } from '@opentelemetry/api';
import type { Bus, RunningPart } from './bus.ts';
import { headersOf } from './cloud-events.ts';
import { publishDeadLetter } from './dead-letter-record.ts';
import type { OutboxPort, StoredMessage } from './outbox-port.ts';
import type { Running } from './port.ts';
import { rebuildIfLost } from './rebuild.ts';
import { contextFrom, failSpan, startProducing } from './tracing.ts';
import { backoffMs, sleep, Wake } from './waiting.ts';

export interface RelayOptions {
  readonly bus: Bus;
  readonly outbox: OutboxPort;
  /** Messages read, and at most in flight, at once; default 512. */
  readonly batchSize?: number;
  /** How often to look for unsent messages that no `onCommit` announced (another process's), ms; default 1,000. */
  readonly pollMs?: number;
}

const ackTimeoutMs = 5_000;

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
  readonly #wake = new Wake();
  readonly #stopping = new AbortController();
  #checkNeeded = true;
  #finished: Promise<void> = Promise.resolve();

  constructor({ bus, outbox, batchSize = 512, pollMs = 1_000 }: RelayOptions) {
    this.#bus = bus;
    this.#outbox = outbox;
    this.#batchSize = batchSize;
    this.#pollMs = pollMs;
  }

  start(): void {
    const { internals } = this.#bus;
    const ends = [
      this.#outbox.onCommit(() => this.#wake.announce()),
      internals.onReconnect(() => {
        this.#checkNeeded = true;
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
        if (this.#bus.internals.connected()) {
          await this.#check();
          while ((await this.#publishBatch()) === this.#batchSize);
        }
        failures = 0;
        if (stopping) return;
        await this.#wake.wait(this.#pollMs, signal);
      } catch (thrown) {
        if (stopping) return;
        const delayMs = backoffMs(failures, 50, 5_000);
        failures += 1;
        this.#bus.internals.logger.warn(
          { err: thrown, delayMs },
          'publishing from the outbox failed; will try again',
        );
        await sleep(delayMs, signal);
        this.#checkNeeded = true;
      }
    }
  }

  /** Streams may be gone, and with them what was sent. */
  async #check(): Promise<void> {
    if (!this.#checkNeeded) return;
    await this.#bus.internals.ensureStreams();
    await rebuildIfLost({ bus: this.#bus, outbox: this.#outbox });
    this.#checkNeeded = false;
  }

  /** Returns how many were read; throws when any was not acknowledged, having marked those that were. */
  async #publishBatch(): Promise<number> {
    const batch = await this.#outbox.pending(this.#batchSize);
    if (batch.length === 0) return 0;
    const sent: number[] = [];
    const lanes = await Promise.allSettled(
      lanesOf(batch).map(async (lane) => {
        for (const message of lane) {
          await publishStored(this.#bus, message);
          sent.push(message.position);
        }
      }),
    );
    if (sent.length > 0) await this.#outbox.markSent(sent.sort((a, b) => a - b));
    for (const lane of lanes) if (lane.status === 'rejected') throw lane.reason;
    return batch.length;
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

/** Publishes one outbox message and resolves with the broker's ack. */
export const publishStored = async (bus: Bus, message: StoredMessage): Promise<void> => {
  const { nc, js, logger } = bus.internals;
  const body = JSON.stringify(message.data);
  const messageHeaders = headersOf(message, bus.service);
  const destination = {
    subject: message.subject,
    messageId: message.id,
    bodySize: Buffer.byteLength(body),
    attributes: { 'millrace.message.type': message.type },
  };
  const span: Span = startProducing(destination, contextFrom(message.headers ?? {}), messageHeaders);
  try {
    const limit = nc.info?.max_payload ?? Number.POSITIVE_INFINITY;
    if (destination.bodySize > limit - headerAllowance) {
      const reason = `the message has ${destination.bodySize} bytes, more than the broker's ${limit}`;
      logger.error({ subject: message.subject, id: message.id }, `${reason}; it goes to the dead letters`);
      await publishDeadLetter(bus.internals, {
        id: `relay-${message.id}`,
        consumer: `relay-${bus.service}`,
        subject: message.subject,
        reason,
        attempts: 1,
        history: [],
        headers: messageHeaders,
        body: Buffer.from(body),
      });
      return;
    }
    await js.publish(message.subject, body, {
      headers: messageHeaders,
      msgID: message.id,
      timeout: ackTimeoutMs,
    });
  } catch (thrown) {
    failSpan(span, thrown);
    throw new Error(`${message.subject} ${message.id}: ${messageOf(thrown)}`, { cause: thrown });
  } finally {
    span.end();
  }
};

/** The broker's limit holds for headers and body together. */
const headerAllowance = 64 * 1024;
