import { type Bus, consumeRecords, type Outcome, type Running } from '@millrace/bus';
import { InferenceBatch } from '@millrace/contracts/deployment';
import { Invalid, messageOf } from '@millrace/errors';

/** Batches held at once: those that wait for one another, and those of a burst that share a commit. */
const concurrency = 64;

/** Short, so that batches which a killed process held come again before those after them are applied without them. */
const ackWaitMs = 3_000;

const decode = (bytes: Uint8Array): InferenceBatch => {
  try {
    return InferenceBatch.decode(bytes);
  } catch (cause) {
    throw new Invalid(`not an inference batch: ${messageOf(cause)}`, { cause });
  }
};

/** Takes inference batches from the bus; one that cannot be read goes to the dead letters. */
export const consumeInference = (bus: Bus, apply: (batch: InferenceBatch) => Promise<Outcome>): Running =>
  consumeRecords(bus, {
    name: 'monitoring-inference',
    stream: 'INFERENCE',
    concurrency,
    ackWaitMs,
    handle: ({ data }) => apply(decode(data)),
  });
