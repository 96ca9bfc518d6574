import { BridgeServiceService } from '@millrace/contracts/bridge';
import { rpc, type ServiceModule } from '@millrace/service-kit';
import { openKafka } from './kafka/open-kafka.ts';
import { openWebhooks } from './webhooks/open-webhooks.ts';

/** Brings events to other systems: to topics of Kafka and to webhooks. Owns their delivery states. */
export const bridge: ServiceModule = {
  name: 'bridge',
  setup: async (runtime) => {
    const webhooks = await openWebhooks(runtime);
    const kafka = await openKafka(runtime);
    return {
      rpc: [rpc(BridgeServiceService, { ...webhooks.handlers, ...kafka.handlers })],
      consumers: [...webhooks.consumers],
      start: async () => {
        await webhooks.start();
        kafka.start();
      },
      stop: async () => {
        await kafka.stop();
        await webhooks.stop();
      },
      readiness: async (): Promise<Record<string, string>> => {
        const problem = kafka.problem();
        return problem === undefined ? {} : { kafka: problem };
      },
    };
  },
};
