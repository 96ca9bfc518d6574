import type { BridgeServiceService } from '@millrace/contracts/bridge';
import { Unavailable } from '@millrace/errors';
import type { RpcHandlers, Runtime, ServiceParts } from '@millrace/service-kit';

/** The webhooks half of the bridge. */
export interface Webhooks {
  readonly handlers: Omit<RpcHandlers<typeof BridgeServiceService>, 'getKafkaState'>;
  readonly consumers: NonNullable<ServiceParts['consumers']>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const absent = async (): Promise<never> => {
  throw new Unavailable('webhooks are not built yet');
};

export const openWebhooks = async (_: Runtime): Promise<Webhooks> => ({
  handlers: {
    createWebhook: absent,
    getWebhook: absent,
    listWebhooks: absent,
    updateWebhook: absent,
    deleteWebhook: absent,
    rotateWebhookSecret: absent,
    listDeliveries: absent,
    redeliver: absent,
    testWebhook: absent,
  },
  consumers: [],
  start: async () => {},
  stop: async () => {},
});
