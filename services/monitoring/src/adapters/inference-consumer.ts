import { type Bus, consumeRecords, type Outcome, type Running } from '@millrace/bus';
import { type ReceivedBatch, receiveBatch } from '../application/received-batch.ts';

/** Batches held at once: those that wait for one another, and those of a burst that share a commit. */
const concurrency = 64;

/** Short, so that batches which a killed process held come again before those after them are applied without them. */
const ackWaitMs = 3_000;

/** Takes inference batches from the bus; one that cannot be read goes to the dead letters. */
export const consumeInference = (bus: Bus, apply: (batch: ReceivedBatch) => Promise<Outcome>): Running =>
  consumeRecords(bus, {
    name: 'monitoring-inference',
    stream: 'INFERENCE',
    concurrency,
    ackWaitMs,
    handle: ({ data }) => apply(receiveBatch(data)),
  });
