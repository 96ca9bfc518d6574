import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

/** What a receiver does with a request instead of what it should. */
export type Lie = (socket: Socket, receiver: LyingReceiver, webhookId: string) => void;

const megabyte = Buffer.alloc(1024 * 1024, 'x');

/** Sends bytes one at a time for as long as the other side takes them. */
const drip = (socket: Socket, text: string): void => {
  let at = 0;
  const timer = setInterval(() => socket.write(text[at++ % text.length] ?? 'x'), 100);
  socket.on('close', () => clearInterval(timer));
};

const flood = (socket: Socket, receiver: LyingReceiver): void => {
  const write = () => {
    while (!socket.destroyed) {
      receiver.bytesTaken = Math.max(receiver.bytesTaken, socket.bytesWritten);
      if (!socket.write(megabyte)) return void socket.once('drain', write);
    }
  };
  write();
};

/** Lies that come after the status, which has acknowledged the event by then. */
export const acknowledgingLies: Readonly<Record<string, Lie>> = {
  'answers a gigabyte': (socket, receiver, id) => {
    receiver.acknowledged.push(id);
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n');
    flood(socket, receiver);
  },
  'drips its answer': (socket, receiver, id) => {
    receiver.acknowledged.push(id);
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n');
    drip(socket, 'x');
  },
  'answers and dies': (socket, receiver, id) => {
    receiver.acknowledged.push(id);
    socket.write('HTTP/1.1 202 Accepted\r\ncontent-length: 100\r\n\r\nso far', () =>
      socket.resetAndDestroy(),
    );
  },
};

/** Lies after which nobody can know that the event was taken. */
export const refusingLies: Readonly<Record<string, Lie>> = {
  hangs: () => {},
  'drips its headers': (socket) => drip(socket, 'HTTP/1.1 200 OK\r\nx-header: '),
  'floods headers': (socket, receiver) => {
    socket.write('HTTP/1.1 200 OK\r\nx-header: ');
    flood(socket, receiver);
  },
  'redirects to the metadata service': (socket) =>
    socket.end('HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\n\r\n'),
  'asks for time': (socket) =>
    socket.end('HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n'),
  'resets the connection': (socket) => socket.resetAndDestroy(),
  'dies within the status': (socket) => socket.end('HTTP/1.1 20'),
  'speaks no HTTP': (socket) => socket.end('220 mail.example.org ESMTP\r\n'),
  'sends only informational answers': (socket) => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(20)),
};

/** A receiver on a raw socket, which answers every request with its lie until it is told to be honest. */
export class LyingReceiver {
  readonly name: string;
  readonly url: string;
  /** `webhook-id` of every request that came whole. */
  readonly requests: string[] = [];
  /** Those whose status said so. */
  readonly acknowledged: string[] = [];
  bytesTaken = 0;
  honest = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(name: string, server: Server, protocol: string) {
    this.name = name;
    this.#server = server;
    this.url = `${protocol}://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  }

  /** With `tls`, over TLS with that certificate. */
  static async start(name: string, lie: Lie, tls?: TlsOptions): Promise<LyingReceiver> {
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const receiver = new LyingReceiver(name, server, tls === undefined ? 'http' : 'https');
    server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) =>
      receiver.#serve(socket, lie),
    );
    return receiver;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket, lie: Lie): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    let text = '';
    const take = (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const [head = '', body] = text.split('\r\n\r\n', 2);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (body === undefined || text.length < head.length + 4 + length) return;
      socket.off('data', take);
      const id = /webhook-id: (\S+)/i.exec(head)?.[1] ?? '';
      this.requests.push(id);
      if (!this.honest) return lie(socket, this, id);
      this.acknowledged.push(id);
      socket.end('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n');
    };
    socket.on('data', take);
  }
}
