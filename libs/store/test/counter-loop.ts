/**
 * Child process of the tests with several processes: raises the same counters many times, each time with an
 * event that tells the new count.
 */
import { openStore } from '../src/index.ts';

const [url = '', service = '', increments = '0', keys = ''] = process.argv.slice(2);

const store = await openStore({ url, service });
const counters = store.collection<{ count: number }>({ name: 'counters' });
await Promise.all(
  keys.split(',').flatMap((key) =>
    Array.from({ length: Number(increments) }, () =>
      counters.update(key, (current) => {
        const count = (current?.document.count ?? 0) + 1;
        const event = { subject: 's', type: 't', entity: `training.counter/${key}`, key, data: { count } };
        return { document: { count }, messages: [event] };
      }),
    ),
  ),
);
await store.close();
