import type { BridgeServiceService, KafkaState } from '@millrace/contracts/bridge';
import type { RpcHandlers, Runtime } from '@millrace/service-kit';

/** The Kafka half of the bridge. */
export interface Kafka {
  readonly handlers: Pick<RpcHandlers<typeof BridgeServiceService>, 'getKafkaState'>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const off: KafkaState = {
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

export const openKafka = async (_: Runtime): Promise<Kafka> => ({
  handlers: { getKafkaState: async () => ({ kafka: off }) },
  start: async () => {},
  stop: async () => {},
});
