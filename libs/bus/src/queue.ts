import type { Consumer, JsMsg } from '@nats-io/jetstream';
import { type DurableConsumerOptions, keepDurableConsumer } from './durable-consumer.ts';
import { Wake } from './waiting.ts';

export interface QueueOptions extends Omit<DurableConsumerOptions, 'take'> {
  /** How many messages at once. No more are taken from the server than are worked on. */
  readonly concurrency: number;
  /** Works on a message and settles it. Must not throw. */
  readonly process: (message: JsMsg) => Promise<void>;
}

const pullMs = 30_000;

/** Works on a durable consumer's messages until `signal` aborts and those under way have ended. */
export const runQueue = async ({ concurrency, process, ...kept }: QueueOptions): Promise<void> => {
  const working = new Set<Promise<void>>();
  const freed = new Wake();
  let pulling = 0;

  /** Work goes on while the consumer is restored, so it is not awaited here. */
  const begin = (message: JsMsg) => {
    const work = process(message).finally(() => {
      working.delete(work);
      freed.announce();
    });
    working.add(work);
  };

  const take = async (consumer: Consumer, lost: AbortSignal) => {
    const pulls = new Set<Promise<void>>();
    let failure: unknown;
    while (!lost.aborted && failure === undefined) {
      while (working.size + pulling < concurrency) {
        pulling += 1;
        const pull = pullOne(consumer, lost, begin)
          .catch((thrown) => {
            failure = thrown;
          })
          .finally(() => {
            pulling -= 1;
            pulls.delete(pull);
            freed.announce();
          });
        pulls.add(pull);
      }
      await freed.wait(pullMs, lost);
    }
    await Promise.all(pulls);
    if (failure !== undefined) throw failure;
  };

  await keepDurableConsumer({ ...kept, take });
  await Promise.all(working);
};

/** Waits for one message, at most the pull's time. */
const pullOne = async (
  consumer: Consumer,
  lost: AbortSignal,
  begin: (message: JsMsg) => void,
): Promise<void> => {
  const pull = await consumer.fetch({ max_messages: 1, expires: pullMs, idle_heartbeat: 2_000 });
  const close = () => void pull.close();
  lost.addEventListener('abort', close, { once: true });
  if (lost.aborted) close();
  try {
    for await (const message of pull) begin(message);
  } finally {
    lost.removeEventListener('abort', close);
  }
};
