import { MongoClient } from 'mongodb';

export interface BareMongoRates {
  /** Upserts, each a call of its own, as many at once as the driver has connections. */
  readonly updatesPerSecond: number;
  /** The same, 500 to a call. */
  readonly groupedPerSecond: number;
  /** One document by its key, one after another: a bare round trip. */
  readonly findMs: number;
}

const total = 1_000;
const group = 500;
const connections = 16;

const perSecond = async (work: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now();
  await work();
  return (total * 1_000) / (performance.now() - startedAt);
};

/** What the server does with the driver alone, acknowledged as the stores want it. */
export const bareMongoRates = async (url: string): Promise<BareMongoRates> => {
  const client = new MongoClient(url, { w: 'majority', journal: true, maxPoolSize: connections });
  const records = client.db('bare').collection<{ _id: number; text: string }>('records');
  const operationOf = (_id: number) => ({
    updateOne: { filter: { _id }, update: { $set: { text: 'x'.repeat(200) } }, upsert: true },
  });
  const numbers = Array.from({ length: total }, (_, n) => n);
  try {
    const updatesPerSecond = await perSecond(() =>
      Promise.all(numbers.map((n) => records.bulkWrite([operationOf(n)]))),
    );
    const groupedPerSecond = await perSecond(async () => {
      for (let n = 0; n < total; n += group) {
        await records.bulkWrite(numbers.slice(n, n + group).map(operationOf), { ordered: false });
      }
    });
    const findsPerSecond = await perSecond(async () => {
      for (const n of numbers) await records.findOne({ _id: n });
    });
    return { updatesPerSecond, groupedPerSecond, findMs: 1_000 / findsPerSecond };
  } finally {
    await client.close();
  }
};
