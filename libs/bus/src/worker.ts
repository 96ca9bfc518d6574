import type { Bus } from './bus.ts';
import { decodeJson } from './event-delivery.ts';
import type { RecordConsumerOptions, Running, WorkerOptions } from './port.ts';
import { QueueConsumer } from './queue-handling.ts';
import { streams } from './topology.ts';

/**
 * Takes commands from the stream `STEPS`, each held by one worker at a time with signs of life while it works,
 * and acknowledged only when done. A dead worker's command goes to another after the ack wait; a worker that
 * was only cut off may therefore still run: guard the effect with a fencing token. Throws `Invalid` on a bad
 * name or subject.
 */
export const work = <T>(bus: Bus, options: WorkerOptions<T>): Running => {
  const worker = new QueueConsumer(bus, {
    maxAttempts: 5,
    maxDeliveries: 20,
    ackWaitMs: 30_000,
    checkMs: 15_000,
    ...options,
    stream: streams.steps,
    handle: (message, context) => options.handle(decodeJson(message.data, options.codec), context),
  });
  worker.start();
  return worker;
};

/** Takes binary records (inference batches, spans) from their stream. Throws `Invalid` on a bad name or subject. */
export const consumeRecords = (bus: Bus, options: RecordConsumerOptions): Running => {
  const consumer = new QueueConsumer(bus, {
    maxAttempts: 5,
    ackWaitMs: 30_000,
    checkMs: 15_000,
    concurrency: 8,
    subject: `millrace.${options.stream.toLowerCase()}.>`,
    ...options,
    maxDeliveries: 20,
    handle: (message, context) =>
      options.handle(
        {
          subject: message.subject,
          data: message.data,
          streamSequence: message.seq,
          id: context.headers['Nats-Msg-Id'] ?? '',
        },
        context,
      ),
  });
  consumer.start();
  return consumer;
};
