import { randomBytes } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { forwardEvents, type RawEvent, type Running } from '@millrace/bus';
import type { BridgeServiceService } from '@millrace/contracts/bridge';
import { Invalid, messageOf } from '@millrace/errors';
import { newId, type RpcHandlers, type Runtime, type ServiceParts } from '@millrace/service-kit';
import { openCollections } from './adapters/collections.ts';
import { resolveByDns } from './adapters/host-addresses.ts';
import { HttpSender } from './adapters/http-sender.ts';
import { readWebhookSettings } from './adapters/settings.ts';
import { webhookHandlers } from './adapters/webhook-rpc.ts';
import { DeliveryQueues } from './application/delivery-queues.ts';
import { enqueueEvent } from './application/enqueue-event.ts';
import { resealSecrets } from './application/manage-webhooks.ts';
import type { Dependencies } from './application/ports.ts';
import { tidyDeliveries } from './application/tidy-deliveries.ts';
import { formatSecret, secretBytes } from './domain/signature.ts';

/** The webhooks half of the bridge. */
export interface Webhooks {
  readonly handlers: Omit<RpcHandlers<typeof BridgeServiceService>, 'getKafkaState'>;
  readonly consumers: NonNullable<ServiceParts['consumers']>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const tidyEveryMs = 60_000;

/** Milliseconds after which the events in the hands of a bridge that died are given to another. */
const ackWaitMs = 5_000;

const payloadOf = ({ body }: RawEvent): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (thrown) {
    throw new Invalid(`the body is not JSON: ${messageOf(thrown)}`, { cause: thrown });
  }
};

export const openWebhooks = async (runtime: Runtime): Promise<Webhooks> => {
  const { settings, env, store, bus, log, now } = runtime;
  const { allow, rules, secrets } = readWebhookSettings(env);
  // Secrets lie in the store, readable where no key is set.
  await chmod(join(settings.dataDir, settings.service), 0o700);
  const sender = new HttpSender({ allow, resolve: resolveByDns, timeoutMs: rules.timeoutMs, now });
  const deps: Dependencies = {
    collections: openCollections(store),
    bus,
    allow,
    secrets,
    sender,
    rules,
    now,
    random: Math.random,
    newId,
    newSecret: () => formatSecret(randomBytes(secretBytes)),
    log,
  };
  const queues = new DeliveryQueues(deps);
  let tidying: Promise<void> = Promise.resolve();
  const tidy = () => {
    tidying = tidyDeliveries(deps)
      .then(() => queues.sync())
      .catch((thrown: unknown) =>
        log.warn({ error: messageOf(thrown) }, 'the log of deliveries stays as it is'),
      );
  };
  const enqueue = enqueueEvent(deps, queues);
  let timer: NodeJS.Timeout | undefined;
  let consumer: Running | undefined;
  return {
    handlers: webhookHandlers(deps, queues),
    consumers: [],
    start: async () => {
      await resealSecrets(deps).catch((thrown: unknown) =>
        log.error({ error: messageOf(thrown) }, 'secrets of webhooks cannot be read; their deliveries wait'),
      );
      await queues.start();
      // As they came: fields and types that this version does not know must not get lost.
      consumer = forwardEvents(bus, {
        name: 'bridge-webhooks',
        inbox: store.inbox,
        ackWaitMs,
        handle: (event, context) => enqueue({ ...event, data: payloadOf(event) }, context),
      });
      timer = setInterval(tidy, tidyEveryMs);
      tidy();
    },
    stop: async () => {
      clearInterval(timer);
      await consumer?.stop();
      await queues.stop();
      await tidying;
      await sender.close();
    },
  };
};
