import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, forwardEvents, type InboxPort } from '@millrace/bus';
import { allEvents } from '@millrace/contracts';
import { bridgeEvents } from '@millrace/contracts/bridge';
import { eventMessage, newId } from '@millrace/service-kit';
import type { Collection } from '@millrace/store';
import type { Logger } from '@millrace/telemetry';
import type { Admin } from 'kafkajs';
import { BatchQueue, handedBack, type Waiting } from './batch-queue.ts';
import { BatchSender } from './batch-sender.ts';
import { Journal, type JournalDocument } from './journal.ts';
import { createKafkaClient, kafkaMessageOf, NoLongerHolder } from './kafka-client.ts';
import { flawOf, kafkaRecord, serviceOf, topicOf } from './kafka-record.ts';
import type { HeldLease } from './lease.ts';
import { recover } from './recover.ts';
import { openSender } from './sender.ts';
import type { KafkaSettings } from './settings.ts';
import type { KafkaStatus } from './status.ts';
import { boundsOf, ensureTopics } from './topics.ts';

/** Durable consumer of the bus, and the name under which positions are recorded. */
export const consumer = 'bridge-kafka';

export interface TermDependencies {
  readonly settings: KafkaSettings;
  readonly bus: Bus;
  readonly inbox: InboxPort;
  readonly journals: Collection<JournalDocument>;
  readonly status: KafkaStatus;
  readonly log: Logger;
  readonly now: () => number;
}

/** Events taken from the bus and not settled: with the size of an event on the bus, the bound of our memory. */
const maxInFlight = 512;
/** Kafka refuses more than 1 MiB for a partition, unless told otherwise. */
const batchLimits = { events: 512, bytes: 512 * 1024 };
/** Milliseconds until the bus gives a dead bridge's events to another. */
const ackWaitMs = 5_000;
/** Milliseconds without an answer after which Kafka counts as failed. */
const patienceMs = 5_000;
/** Milliseconds that the batch on its way gets when the bridge stops. */
const stopGraceMs = 3_000;
/** Attempts to connect before the term ends; the next one begins after a pause. */
const connectRetries = 2;

/**
 * Forwards events for as long as the lease is held: settles what was left open, then sends batch after batch.
 * Resolves when `stopping` aborts, throws when the lease is lost or something failed; either way nothing runs on.
 */
export const runTerm = async (
  deps: TermDependencies,
  lease: HeldLease,
  stopping: AbortSignal,
): Promise<void> => {
  const { settings, bus, inbox, status, log, now } = deps;
  let ended = false;
  const mayWrite = () => !ended && lease.valid();
  const client = { settings, log, mayWrite, onError: (message: string) => status.error(message) };
  const over = AbortSignal.any([lease.lost, stopping]);
  const journal = await Journal.claim(deps.journals, lease.epoch);
  const kafka = await createKafkaClient(client, connectRetries);
  const admin = kafka.admin();
  const queue = new BatchQueue(batchLimits);
  const closers: (() => Promise<unknown>)[] = [];
  over.addEventListener('abort', () => queue.close(), { once: true });
  const health = new Health(journal, deps);
  try {
    closers.push(() => admin.disconnect());
    await admin.connect();
    const topics = new Topics(admin, settings, status);
    await topics.ensure();
    const groupId = newId('millrace-bridge');
    await recover({ kafka, admin, journal, inbox, consumer, groupId, log, now });
    const { high: ends } = await boundsOf(admin, topics.names);
    const patient = await createKafkaClient(client, Number.MAX_SAFE_INTEGER);
    const sender = await openSender(patient, () => status.partitions);
    closers.push(() => sender.close());
    const batches = new BatchSender({ journal, sender, inbox, consumer, status, now, ends });
    await health.well();
    const forwarding = forwardEvents(bus, {
      name: consumer,
      inbox,
      maxInFlight,
      ackWaitMs,
      handle: async (event) => {
        const flaw = flawOf(event);
        if (flaw === undefined) return queue.add(event, kafkaRecord(settings.topicPrefix, event));
        journal.note({ rejected: journal.document.rejected + 1 });
        status.rejected(1);
        return { kind: 'reject', reason: flaw };
      },
    });
    closers.push(() => forwarding.stop({ graceMs: 0 }));
    while (!over.aborted) {
      const batch = await queue.take();
      if (batch.length === 0) break;
      await topics.know(batch);
      await settled(batch, over, lease.lost, () =>
        health.watching(topics, () => batches.forward(batch, () => queue.size === 0)),
      );
    }
    if (lease.lost.aborted) throw new NoLongerHolder();
  } catch (thrown) {
    if (!over.aborted) await health.failed(kafkaMessageOf(thrown));
    throw thrown;
  } finally {
    ended = true;
    queue.close();
    for (const close of closers.reverse()) await close().catch(() => {});
  }
};

/** Runs the batch; when it fails, or is not done in time after the end of the term, its events are handed back. */
const settled = async (
  batch: readonly Waiting[],
  over: AbortSignal,
  lost: AbortSignal,
  work: () => Promise<void>,
): Promise<void> => {
  const done = new AbortController();
  const tooLate = async (): Promise<never> => {
    await aborted(over, done.signal);
    if (!lost.aborted)
      await sleep(stopGraceMs, undefined, { signal: AbortSignal.any([done.signal, lost]) }).catch(() => {});
    throw new NoLongerHolder();
  };
  try {
    const working = work();
    const late = tooLate();
    late.catch(() => {});
    await Promise.race([working, late]);
  } catch (thrown) {
    for (const { settle } of batch) settle(handedBack);
    throw thrown;
  } finally {
    done.abort();
  }
};

const aborted = (signal: AbortSignal, unless: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted || unless.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
    unless.addEventListener('abort', () => resolve(), { once: true });
  });

/** The topics of all services, and of those that a newer version may have. */
class Topics {
  readonly #admin: Admin;
  readonly #settings: KafkaSettings;
  readonly #status: KafkaStatus;
  readonly #services = new Set([...allEvents.values()].map(({ service }) => service));

  constructor(admin: Admin, settings: KafkaSettings, status: KafkaStatus) {
    this.#admin = admin;
    this.#settings = settings;
    this.#status = status;
  }

  get names(): readonly string[] {
    return [...this.#services].map((service) => topicOf(this.#settings.topicPrefix, service));
  }

  async ensure(): Promise<void> {
    this.#status.partitions = await ensureTopics(this.#admin, this.names, this.#settings);
  }

  /** Makes the topics of services that this version does not know. */
  async know(batch: readonly Waiting[]): Promise<void> {
    const unknown = batch
      .map(({ event }) => serviceOf(event.entity))
      .filter((service) => !this.#services.has(service));
    if (unknown.length === 0) return;
    for (const service of unknown) this.#services.add(service);
    await this.ensure();
  }
}

/** Tells others, once, that Kafka failed, and that it is well again. */
class Health {
  readonly #journal: Journal;
  readonly #deps: TermDependencies;

  constructor(journal: Journal, deps: TermDependencies) {
    this.#journal = journal;
    this.#deps = deps;
  }

  async well(): Promise<void> {
    const { settings, status, log } = this.#deps;
    status.connected = true;
    status.failing = false;
    if (this.#journal.document.connected) return;
    log.info({ brokers: settings.brokers }, 'events are forwarded to Kafka');
    const data = { brokers: [...settings.brokers] };
    await this.#journal.write({ connected: true }, [
      eventMessage(bridgeEvents.kafkaConnected, settings.topicPrefix, data),
    ]);
  }

  /** The events wait; that this could not be told is of no matter. */
  async failed(error: string): Promise<void> {
    const { settings, status, log } = this.#deps;
    status.connected = false;
    status.failing = true;
    status.error(error);
    if (!this.#journal.document.connected) return;
    log.warn({ brokers: settings.brokers, error }, 'Kafka failed; events wait');
    const data = { brokers: [...settings.brokers], error };
    await this.#journal
      .write({ connected: false }, [eventMessage(bridgeEvents.kafkaFailed, settings.topicPrefix, data)])
      .catch((thrown: unknown) => log.debug({ err: thrown }, 'that Kafka failed was not told'));
  }

  /** While `work` takes long: says so, and makes topics that somebody deleted. */
  async watching(topics: Topics, work: () => Promise<void>): Promise<void> {
    const timer = setInterval(() => {
      const latest = this.#deps.status.errors[0]?.message ?? 'Kafka does not answer';
      void this.failed(latest);
      topics.ensure().catch((thrown: unknown) => this.#deps.status.error(kafkaMessageOf(thrown)));
    }, patienceMs);
    try {
      await work();
    } finally {
      clearInterval(timer);
    }
    await this.well();
  }
}
