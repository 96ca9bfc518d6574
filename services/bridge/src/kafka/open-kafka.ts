import { hostname } from 'node:os';
import type { BridgeServiceService } from '@millrace/contracts/bridge';
import { newId, type RpcHandlers, type Runtime } from '@millrace/service-kit';
import { Forwarder } from './forwarder.ts';
import { getKafkaState, kafkaOff } from './get-kafka-state.ts';
import { journalCollection } from './journal.ts';
import { leaseCollection } from './lease.ts';
import { processPlace } from './process-place.ts';
import { readKafkaSettings } from './settings.ts';
import { KafkaStatus } from './status.ts';

/** The Kafka half of the bridge. */
export interface KafkaHalf {
  readonly handlers: Pick<RpcHandlers<typeof BridgeServiceService>, 'getKafkaState'>;
  /** What keeps events from being forwarded, if anything. */
  problem(): string | undefined;
  start(): void;
  stop(): Promise<void>;
}

/** Forwards to Kafka when `MILLRACE_KAFKA_BROKERS` is set. Throws `Invalid` on wrong settings. */
export const openKafka = async ({ env, store, bus, log, now }: Runtime): Promise<KafkaHalf> => {
  const settings = await readKafkaSettings(env);
  if (settings === undefined) return off;
  const status = new KafkaStatus(now);
  const holder = newId(`${hostname()}:${process.pid}`);
  const place = await processPlace();
  const leases = leaseCollection(store);
  const journals = journalCollection(store);
  const deps = { settings, bus, inbox: store.inbox, journals, leases, status, holder, place, log, now };
  const forwarder = new Forwarder(deps);
  return {
    handlers: { getKafkaState: getKafkaState(deps) },
    problem: () => {
      const [latest] = status.errors;
      return status.failing ? `events wait: ${latest?.message ?? 'Kafka does not answer'}` : undefined;
    },
    start: () => forwarder.start(),
    stop: () => forwarder.stop(),
  };
};

const off: KafkaHalf = {
  handlers: { getKafkaState: async () => ({ kafka: kafkaOff }) },
  problem: () => undefined,
  start: () => {},
  stop: async () => {},
};
