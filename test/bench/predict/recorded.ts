import { setTimeout as sleep } from 'node:timers/promises';
import { connectBus } from '@millrace/bus';
import { InferenceBatch } from '@millrace/contracts/deployment';

const lookMs = 200;

/** Resolves once monitoring has applied all that the prediction log holds. */
export const whenMonitored = async (natsUrl: string): Promise<void> => {
  const bus = await connectBus({ url: natsUrl, service: 'bench' });
  const waiting = async (): Promise<number> => {
    const info = await bus.internals.jsm.consumers.info('INFERENCE', 'monitoring-inference');
    return info.num_pending + info.num_ack_pending;
  };
  try {
    while ((await waiting()) > 0) await sleep(lookMs);
  } finally {
    await bus.drain();
  }
};

export interface Recorded {
  /** Predictions in the log's stream. */
  readonly records: number;
  readonly distinctIds: number;
  /** Predictions that the log says it left out. */
  readonly dropped: number;
}

/** Reads the whole prediction log. */
export const readPredictionLog = async (natsUrl: string): Promise<Recorded> => {
  const bus = await connectBus({ url: natsUrl, service: 'bench' });
  const ids = new Set<string>();
  let records = 0;
  let dropped = 0;
  try {
    const { js, jsm } = bus.internals;
    const { state } = await jsm.streams.info('INFERENCE');
    if (state.messages > 0) {
      const messages = await (await js.consumers.get('INFERENCE')).consume();
      for await (const message of messages) {
        const batch = InferenceBatch.decode(message.data);
        records += batch.records.length;
        dropped += batch.droppedBefore;
        for (const { predictionId } of batch.records) ids.add(predictionId);
        if (message.seq >= state.last_seq) break;
      }
    }
  } finally {
    await bus.drain();
  }
  return { records, dropped, distinctIds: ids.size };
};
