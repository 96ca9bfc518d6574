import { type Bus, eventLag } from '@millrace/bus';
import type { KafkaForwarding, KafkaState } from '@millrace/contracts/bridge';
import type { Collection } from '@millrace/store';
import { type JournalDocument, readJournal } from './journal.ts';
import { type LeaseDocument, readLease } from './lease.ts';
import { consumer } from './run-term.ts';
import type { KafkaSettings } from './settings.ts';
import type { KafkaStatus } from './status.ts';

export interface StateDependencies {
  readonly settings: KafkaSettings;
  readonly bus: Bus;
  readonly journals: Collection<JournalDocument>;
  readonly leases: Collection<LeaseDocument>;
  readonly status: KafkaStatus;
  readonly holder: string;
  readonly now: () => number;
}

/** The state while no brokers are set. */
export const kafkaOff: KafkaState = {
  forwarding: 'KAFKA_FORWARDING_OFF',
  brokers: [],
  connected: false,
  topics: [],
  lag: 0,
  lagSeconds: 0,
  errors: [],
  rejected: 0,
  holder: '',
  epoch: 0,
};

/** What is in Kafka, and what is on its way, as the store and the bus know it, whichever bridge forwards. */
export const getKafkaState = (deps: StateDependencies) => async (): Promise<{ kafka: KafkaState }> => {
  const { settings, bus, journals, leases, status, now } = deps;
  const [journal, lease, lag] = await Promise.all([
    readJournal(journals),
    readLease(leases),
    eventLag(bus, consumer),
  ]);
  const names = new Set([...Object.keys(journal.topics), ...Object.keys(status.partitions)]);
  const topics = [...names].sort().map((topic) => {
    const totals = journal.topics[topic];
    return {
      topic,
      service: topic.slice(settings.topicPrefix.length + 1),
      partitions: status.partitions[topic] ?? 0,
      forwarded: totals?.forwarded ?? 0,
      lastEventId: totals?.lastEventId ?? '',
      lastEventType: totals?.lastEventType ?? '',
      lastForwardedAt: totals?.lastForwardedAt,
    };
  });
  const oldest = lag.events === 0 ? undefined : await timeAfter(bus, lag.settledUpTo);
  const age = oldest === undefined ? 0 : (now() - Date.parse(oldest)) / 1000;
  return {
    kafka: {
      forwarding: forwardingOf(deps, lease),
      brokers: [...settings.brokers],
      connected: journal.connected,
      topics,
      lag: lag.events,
      lagSeconds: Math.max(0, age),
      errors: status.errors.map(({ at, message }) => ({ at: new Date(at).toISOString(), message })),
      rejected: journal.rejected,
      holder: lease?.holder ?? '',
      epoch: lease?.epoch ?? 0,
    },
  };
};

/** Milliseconds to look for the oldest event that waits; it may be settled meanwhile. */
const lookMs = 1_000;

/** Time of the first event on the bus after a stream sequence. */
const timeAfter = async (bus: Bus, afterSequence: number): Promise<string | undefined> => {
  const signal = AbortSignal.timeout(lookMs);
  for await (const { time } of bus.readEvents({ since: { afterSequence }, signal })) return time;
  return undefined;
};

const forwardingOf = (
  { status, holder }: StateDependencies,
  lease: LeaseDocument | undefined,
): KafkaForwarding => {
  if (status.holding && status.connected) return 'KAFKA_FORWARDING_ON';
  const isOthers = lease !== undefined && lease.holder !== '' && lease.holder !== holder;
  return isOthers ? 'KAFKA_FORWARDING_STANDBY' : 'KAFKA_FORWARDING_WAITING';
};
