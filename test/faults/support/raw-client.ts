import { Agent, get, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { TestInstallation } from '../../support/installation.ts';

/** What a client needs that does as it likes, unlike ours. */
export interface RawTarget {
  readonly millrace: Pick<TestInstallation, 'url'>;
  readonly secret: string;
}

/** Sends a request and takes nothing of the answer. */
export const requestAndStall = ({ millrace, secret }: RawTarget, path: string): Socket => {
  const { hostname, port } = new URL(millrace.url);
  const socket = connect(Number(port), hostname, () => {
    socket.write(`GET ${path} HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${secret}\r\n\r\n`);
    socket.pause();
  });
  socket.on('error', () => {});
  return socket;
};

/** Reads what a socket held back; answers the number of bytes when it ends. */
export const drainedBytes = (socket: Socket): Promise<number> =>
  new Promise((resolve) => {
    let bytes = 0;
    socket.on('data', (piece: Buffer) => {
      bytes += piece.length;
    });
    socket.on('close', () => resolve(bytes));
    if (socket.closed) resolve(bytes);
    socket.resume();
  });

export interface RawAnswer {
  /** 0 when nobody answered. */
  readonly status: number;
  /** Seconds; 0 when none was named. */
  readonly retryAfter: number;
  readonly text: string;
}

const agent = new Agent({ keepAlive: false });

/** A connection that the other side never took says nothing at all: whoever waits longer has to try again. Milliseconds. */
const patienceMs = 30_000;

/** One request on a connection of its own, read to its end. */
export const getOnce = ({ millrace, secret }: RawTarget, path: string): Promise<RawAnswer> =>
  new Promise((resolve) => {
    const nobody = () => resolve({ status: 0, retryAfter: 0, text: '' });
    const headers = { authorization: `Bearer ${secret}` };
    const signal = AbortSignal.timeout(patienceMs);
    get(`${millrace.url}${path}`, { agent, headers, signal }, (answer: IncomingMessage) => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.on('error', nobody);
      answer.on('close', () =>
        answer.complete
          ? resolve({
              status: answer.statusCode ?? 0,
              retryAfter: Number(answer.headers['retry-after'] ?? 0),
              text: Buffer.concat(pieces).toString(),
            })
          : nobody(),
      );
    }).on('error', nobody);
  });
