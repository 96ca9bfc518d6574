import { connect } from 'node:net';
import { Unavailable } from '@millrace/errors';

const timeoutMs = 10_000;

/** What a NATS server says of itself to whoever connects, before anybody has to prove anything. */
export const greetingOf = (
  url: string,
): Promise<{ readonly version: string; readonly jetstream: boolean }> => {
  const [first = ''] = url.split(',');
  const { hostname, port } = new URL(first.includes('://') ? first.trim() : `nats://${first.trim()}`);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port || 4222) });
    const refuse = (why: string) => {
      socket.destroy();
      reject(new Unavailable(why));
    };
    let text = '';
    socket.setTimeout(timeoutMs, () => refuse(`${hostname}:${port} does not answer`));
    socket.on('error', ({ message }) => refuse(message));
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
      if (!text.includes('\r\n')) return;
      const info = /^INFO (.*)\r\n/.exec(text)?.[1];
      if (info === undefined) return refuse(`${hostname}:${port} is no NATS server`);
      socket.destroy();
      const { version, jetstream } = JSON.parse(info) as { version: string; jetstream?: boolean };
      resolve({ version, jetstream: jetstream === true });
    });
  });
};
