import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Exhausted } from '@millrace/errors';

/**
 * Ports are taken from below those that the system gives to outgoing connections: while a restarted process is
 * away, nobody else may come to sit on its port, nor connect to itself there.
 */
const first = 15_000;
const count = 15_000;

/** Finds that many different ports that are free on the host. Throws `Exhausted` when there are too few. */
export const findFreePorts = async (host: string, wanted: number): Promise<number[]> => {
  const ports: number[] = [];
  const start = randomInt(count);
  for (let i = 0; i < count && ports.length < wanted; i += 1) {
    const port = first + ((start + i) % count);
    if (await isFree(host, port)) ports.push(port);
  }
  if (ports.length < wanted) {
    throw new Exhausted(`${wanted} free ports are needed on ${host}, ${ports.length} were found`, {
      hint: `Free some between ${first} and ${first + count - 1}.`,
    });
  }
  return ports;
};

const isFree = async (host: string, port: number): Promise<boolean> => {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return true;
  } catch {
    return false;
  }
};
