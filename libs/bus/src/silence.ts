import type { ConsumerMessages } from '@nats-io/jetstream';

/**
 * Closes messages whose server has fallen silent, so that their reader asks anew who has them. The client library would
 * wait for the server that it knows, which in a cluster may never come back.
 */
export const closeWhenSilent = async (messages: ConsumerMessages): Promise<void> => {
  for await (const { type } of messages.status()) {
    if (type !== 'heartbeats_missed') continue;
    await messages.close();
    return;
  }
};
