import { connectBus } from '@millrace/bus';
import { openSqliteStore } from '@millrace/store';

/** Commits and messages of one step: a claim, a result, its acceptance, the next step's dispatch; command and result. */
const commits = 4;
const messages = 2;

/** Milliseconds for that many durable commits and stored messages, one after another, without anything around them. */
export const bareStepMs = async (natsUrl: string, directory: string, repeats = 40): Promise<number> => {
  const bus = await connectBus({ url: natsUrl, service: 'bench' });
  const store = await openSqliteStore({ path: `${directory}/floor.sqlite`, service: 'bench' });
  try {
    const { js, jsm } = bus.internals;
    await jsm.streams.add({ name: 'BARE', subjects: ['bare.>'] });
    await jsm.consumers.add('BARE', { durable_name: 'bare', ack_policy: 'explicit' });
    const pull = await (await js.consumers.get('BARE', 'bare')).consume();
    const received = pull[Symbol.asyncIterator]();
    const documents = store.collection<{ n: number }>({ name: 'documents' });
    const startedAt = performance.now();
    for (let n = 0; n < repeats; n += 1) {
      for (let i = 0; i < messages; i += 1) {
        await js.publish('bare.a', JSON.stringify({ n }));
        (await received.next()).value?.ack();
      }
      for (let i = 0; i < commits; i += 1) await documents.insert(`${n}.${i}`, { n });
    }
    const perStep = (performance.now() - startedAt) / repeats;
    // Not awaited: it ends when somebody reads on.
    void pull.close();
    return perStep;
  } finally {
    await bus.drain();
    await store.close();
  }
};
