/**
 * Child process of the crash tests: commits documents with one event each, many at once, and prints the key of
 * each commit that was acknowledged. Runs until it is killed, or until `count` is reached. With delayed durability half of the
 * documents are written with it, and have no events.
 */
import { writeSync } from 'node:fs';
import { openStore } from '../src/index.ts';

const [url = '', service = '', count = 'endless', durability = 'full'] = process.argv.slice(2);
const CONCURRENCY = 16;

const store = await openStore({ url, service });
const runs = store.collection<object>({ name: 'runs', indexes: [{ path: 'number', type: 'number' }] });
const total = count === 'endless' ? Number.POSITIVE_INFINITY : Number(count);
let next = await runs.count();

const work = async (): Promise<void> => {
  while (next < total) {
    const number = next;
    next += 1;
    const key = `run-${number}`;
    const document = { number, padding: 'x'.repeat(number % 300) };
    const event = { subject: 's', type: 't', entity: `training.run/${key}`, key, data: { number } };
    if (durability === 'delayed' && number % 2 === 0) {
      await runs.update(key, () => ({ document }), { durability: 'delayed' });
    } else await runs.insert(key, document, [event]);
    // Synchronous, so that a line is out before the next commit begins.
    writeSync(1, `${key}\n`);
  }
};

await Promise.all(Array.from({ length: CONCURRENCY }, work));
