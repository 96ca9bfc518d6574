/** A consumer process that a certain event ends: `node crashing-consumer.ts <url> <store> <name>`. */
import { consumeEvents, subscription } from '../src/index.ts';
import { changed, testBus, testStore } from './fixture.ts';

const [url = '', file = '', name = ''] = process.argv.slice(2);
const bus = await testBus(url, 'victim');
const { store } = await testStore(file);
const effects = store.collection<{ readonly value: number }>({ name: 'effects' });

consumeEvents(bus, {
  name,
  inbox: store.inbox,
  ackWaitMs: 200,
  graceMs: 20,
  subscriptions: [
    subscription(changed, async (event, { handled }) => {
      if (event.data.name === 'poison') process.kill(process.pid, 'SIGKILL');
      await effects.commit({
        key: event.id,
        expected: 0,
        document: { value: event.data.value },
        handled,
      });
      return { kind: 'done' };
    }),
  ],
});
