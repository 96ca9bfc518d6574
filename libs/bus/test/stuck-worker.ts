/** A worker process that takes a command and never ends it: `node stuck-worker.ts <url> <name> <subject> <ack wait>`. */
import { work } from '../src/index.ts';
import { payloadCodec, testBus } from './fixture.ts';

const [url = '', name = '', subject = '', ackWaitMs = ''] = process.argv.slice(2);
const bus = await testBus(url, 'stuck');
work(bus, {
  name,
  subject,
  codec: payloadCodec,
  concurrency: 1,
  ackWaitMs: Number(ackWaitMs),
  handle: (command) => {
    process.stdout.write(`started ${command.value}\n`);
    return new Promise(() => {});
  },
});
