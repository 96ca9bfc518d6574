/** A process that runs a server on the store it is given and prints its pid: `node broker-owner.ts <store>`. */
import { startNatsServer } from '../src/index.ts';

const server = await startNatsServer({ storeDir: process.argv[2] ?? '' });
process.stdout.write(`${server.pid}\n`);
setInterval(() => {}, 1_000);
