import { crashPoint } from '@millrace/crash-points';
import type { JsMsg } from '@nats-io/jetstream';
import { AckPolicy, DeliverPolicy } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { context } from '@opentelemetry/api';
import type { Bus, DrainOptions, RunningPart } from './bus.ts';
import { headerRecord, replayHeader } from './cloud-events.ts';
import { type Failure, publishDeadLetter } from './dead-letter-record.ts';
import { countDelivery } from './event-counters.ts';
import { buryExhausted, type ExhaustedMessage } from './exhausted.ts';
import { forgetOldest } from './forget-oldest.ts';
import { handleUntilSettled } from './handling.ts';
import { InProgress } from './in-progress.ts';
import type { Outcome, WorkContext } from './port.ts';
import { runQueue } from './queue.ts';
import type { Attempt } from './settle.ts';
import { checkFilter, checkToken } from './subjects.ts';
import { type StreamName, streams } from './topology.ts';
import { consuming } from './tracing.ts';

/** A queue consumer: each message to one of any number of processes, in no particular order. */
export interface QueueConsumerOptions {
  readonly name: string;
  readonly stream: StreamName;
  readonly subject: string;
  readonly concurrency: number;
  readonly maxAttempts: number;
  readonly maxDeliveries: number;
  readonly ackWaitMs: number;
  readonly checkMs: number;
  /** Throws `Invalid` on a message that it cannot read. */
  readonly handle: (message: JsMsg, context: WorkContext) => Promise<Outcome>;
}

/** So many messages are remembered for their failures, and as many as settled. */
const rememberedMessages = 10_000;

/** Tells messages apart, also where a stream was made anew and counts from 1 again. */
const keyOf = (message: JsMsg): string => `${message.seq}@${message.timestampNanos}`;

/** Runs a queue consumer until it is stopped; acknowledges only after `done` or `ignored`. */
export class QueueConsumer implements RunningPart {
  readonly #bus: Bus;
  readonly #options: QueueConsumerOptions;
  readonly #inProgress: InProgress;
  /** Being worked on: the server may deliver one again after a long disconnect. */
  readonly #working = new Set<string>();
  /** Settled for good: the server may not have got the word, and deliver one again. */
  readonly #settled = new Set<string>();
  readonly #failures = new Map<string, Failure[]>();
  readonly #stopping = new AbortController();
  readonly #graceEnded = new AbortController();
  #finished: Promise<unknown> = Promise.resolve();

  constructor(bus: Bus, options: QueueConsumerOptions) {
    checkToken(options.name, 'name');
    checkFilter(options.subject);
    this.#bus = bus;
    this.#options = options;
    this.#inProgress = new InProgress(options.ackWaitMs);
  }

  get inFlight(): number {
    return this.#inProgress.size;
  }

  start(): void {
    const { internals } = this.#bus;
    const { name, stream, subject, concurrency, ackWaitMs, checkMs, maxDeliveries } = this.#options;
    const unregister = internals.register(this);
    const kept = { internals, stream, checkMs, signal: this.#stopping.signal };
    const working = runQueue({
      ...kept,
      concurrency,
      declaration: {
        durable_name: name,
        filter_subject: subject,
        deliver_policy: DeliverPolicy.All,
        ack_policy: AckPolicy.Explicit,
        ack_wait: nanos(ackWaitMs),
        max_deliver: maxDeliveries,
      },
      process: (message) => this.#process(message),
    });
    const burying = buryExhausted({ ...kept, consumer: name, buried: (message) => this.#remove(message) });
    this.#finished = Promise.all([working, burying]).finally(() => {
      this.#inProgress.close();
      unregister();
    });
  }

  /** Takes no more and lets work under way end; after the grace time its signal aborts. */
  async stop(options: DrainOptions = {}): Promise<void> {
    this.#stopping.abort();
    const grace = setTimeout(() => this.#graceEnded.abort(), options.graceMs ?? 10_000);
    await this.#finished;
    clearTimeout(grace);
  }

  async #process(message: JsMsg): Promise<void> {
    countDelivery(this.#options.name, message.info.deliveryCount);
    const key = keyOf(message);
    if (this.#working.has(key)) return;
    if (this.#settled.has(key)) {
      message.ack();
      return;
    }
    const record = headerRecord(message.headers);
    const replayFor = record[replayHeader];
    if (replayFor !== undefined && replayFor !== this.#options.name) {
      message.ack();
      return;
    }
    this.#working.add(key);
    this.#inProgress.hold(message);
    try {
      await this.#settle(message, record);
    } catch (thrown) {
      // The dead letter could not be stored: the message stays, and comes again.
      this.#bus.internals.logger.warn({ err: thrown, subject: message.subject }, 'settling a message failed');
      message.nak(1_000);
    } finally {
      this.#inProgress.release(message);
      this.#working.delete(key);
    }
  }

  async #settle(message: JsMsg, record: Readonly<Record<string, string>>): Promise<void> {
    const key = keyOf(message);
    const history = this.#failures.get(key) ?? [];
    const { name, maxAttempts } = this.#options;
    const settlement = await handleUntilSettled({
      attempt: () => this.#attempt(message, record),
      maxAttempts,
      history,
      retryInPlace: false,
      stopping: this.#stopping.signal,
      logger: this.#bus.internals.logger,
      logFields: { consumer: name, subject: message.subject, delivery: message.info.deliveryCount },
    });
    this.#failures.delete(key);
    switch (settlement.kind) {
      case 'ack':
        crashPoint('before-ack');
        message.ack();
        this.#rememberSettled(key);
        return;
      case 'released':
        message.nak();
        return;
      case 'retry':
        this.#failures.set(key, history);
        forgetOldest(this.#failures, rememberedMessages);
        message.nak(settlement.delayMs);
        return;
      case 'dead':
        await this.#bury(message, settlement.reason, history);
        message.term(settlement.reason.replaceAll(/\s+/g, ' ').slice(0, 200));
        this.#rememberSettled(key);
    }
  }

  async #attempt(message: JsMsg, record: Readonly<Record<string, string>>): Promise<Attempt> {
    crashPoint('mid-handling');
    const destination = {
      nc: this.#bus.internals.nc,
      subject: message.subject,
      messageId: record['ce-id'] ?? record['Nats-Msg-Id'] ?? '',
      bodySize: message.data.length,
      consumer: this.#options.name,
      home: this.#bus.internals.home,
      attributes: { 'millrace.message.delivery': message.info.deliveryCount },
    };
    const workContext: WorkContext = {
      delivery: message.info.deliveryCount,
      signal: this.#graceEnded.signal,
      headers: record,
    };
    try {
      const handle = () => this.#options.handle(message, workContext);
      // Spans about the handling of spans would be spans to handle, for ever.
      const isSpans = this.#options.stream === streams.spans;
      const outcome = isSpans
        ? await context.with(this.#bus.internals.home, handle)
        : await consuming(destination, record, handle);
      return { outcome };
    } catch (thrown) {
      return { thrown };
    }
  }

  #rememberSettled(key: string): void {
    this.#settled.add(key);
    forgetOldest(this.#settled, rememberedMessages);
  }

  #bury(message: JsMsg, reason: string, history: readonly Failure[]): Promise<void> {
    return publishDeadLetter(this.#bus.internals, {
      id: String(message.seq),
      consumer: this.#options.name,
      subject: message.subject,
      reason,
      attempts: Math.max(1, history.length),
      history,
      headers: message.headers,
      body: message.data,
    });
  }

  /** A work queue keeps what nobody acknowledged; it is with the dead letters now. A keeper has removed it before. */
  async #remove(message: ExhaustedMessage): Promise<void> {
    const { topology, jsm } = this.#bus.internals;
    if (this.#options.stream === streams.steps && topology.keptBy === 'services') {
      await jsm.streams.deleteMessage(streams.steps, message.seq);
    }
  }
}
