/** The consuming side of the event path as a process of its own: started and asked by `apart.ts`. */
import { connectBus } from '@millrace/bus';
import { openSqliteStore } from '@millrace/store';
import type { FromConsumer, ToConsumer } from './apart.ts';
import { startConsumer } from './path.ts';

const [url = '', path = ''] = process.argv.slice(2);
const tellEveryMs = 5;

const bus = await connectBus({ url, service: 'bench-consumer' });
const consumer = startConsumer(bus, await openSqliteStore({ path, service: 'bench-consumer' }));
const tell = (message: FromConsumer) => void process.send?.(message);

tell({ handled: 0 });
let told = 0;
setInterval(() => {
  const handled = consumer.handled();
  if (handled === told) return;
  told = handled;
  tell({ handled });
}, tellEveryMs);

process.on('message', async (asked: ToConsumer) => {
  if (asked === 'effects') return tell({ effects: await consumer.effects() });
  await bus.drain();
  await consumer.close();
  process.exit(0);
});
