import { setTimeout as sleep } from 'node:timers/promises';
import { type Bus, forwardEvents, type InboxPort } from '@millrace/bus';
import { Conflict } from '@millrace/errors';
import { newId } from '@millrace/service-kit';
import type { Collection } from '@millrace/store';
import type { Logger } from '@millrace/telemetry';
import { BatchQueue, handedBack, type Waiting } from './batch-queue.ts';
import { BatchSender } from './batch-sender.ts';
import { Journal, type JournalDocument } from './journal.ts';
import { createKafkaClient, kafkaMessageOf, NoLongerHolder } from './kafka-client.ts';
import { KafkaHealth } from './kafka-health.ts';
import { flawOf, kafkaRecord } from './kafka-record.ts';
import type { HeldLease } from './lease.ts';
import { recover } from './recover.ts';
import { openSender } from './sender.ts';
import type { KafkaSettings } from './settings.ts';
import type { KafkaStatus } from './status.ts';
import { Topics } from './topic-catalogue.ts';
import { boundsOf } from './topics.ts';

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
  const health = new KafkaHealth(journal, deps);
  try {
    closers.push(() => admin.disconnect());
    await admin.connect();
    const topics = new Topics(kafka, settings, status);
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
    if (!over.aborted && !isOthersTurn(thrown)) await health.failed(kafkaMessageOf(thrown));
    throw thrown;
  } finally {
    ended = true;
    health.close();
    queue.close();
    for (const close of closers.reverse()) await close().catch(() => {});
  }
};

/** The end of a term that says nothing of Kafka. */
const isOthersTurn = (thrown: unknown): boolean =>
  thrown instanceof NoLongerHolder || thrown instanceof Conflict;

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
