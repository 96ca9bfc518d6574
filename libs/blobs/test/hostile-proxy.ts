import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What the proxy does to one connection: counts bytes, may cut, may change what the server answers. */
export interface Meddling {
  /** Ends the connection after so many bytes from the client. */
  readonly cutUploadAfter?: number;
  /** Ends the connection after so many bytes from the server. */
  readonly cutDownloadAfter?: number;
  /** Changes one byte of what the server sends, at this position. */
  readonly flipDownloadAt?: number;
  /** Answers in the server's place, once the request's head has come. */
  readonly answer?: string;
}

/** A TCP proxy before a server that meddles with the connections that a test chooses. */
export class HostileProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Asked for each request, by its first line; `undefined` passes it on. */
  meddle: (requestLine: string) => Meddling | undefined = () => undefined;
  readonly requests: string[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(targetPort: number): Promise<HostileProxy> {
    const server = createServer();
    const proxy = new HostileProxy(server);
    server.on('connection', (client) => proxy.#carry(client, targetPort));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #carry(client: Socket, targetPort: number): void {
    const server = connect(targetPort, '127.0.0.1');
    let meddling: Meddling | undefined;
    let up = 0;
    let down = 0;
    const end = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', end).on('close', () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    client.on('data', (chunk: Buffer) => {
      const line = /^(GET|PUT|POST|HEAD|DELETE) \S+ HTTP\/1\.1\r\n/.exec(chunk.toString('latin1'))?.[0];
      if (line !== undefined) {
        this.requests.push(line.trim());
        meddling = this.meddle(line.trim());
        up = 0;
        down = 0;
      }
      if (meddling?.answer !== undefined) {
        client.end(meddling.answer);
        server.destroy();
        return;
      }
      up += chunk.length;
      if (meddling?.cutUploadAfter !== undefined && up > meddling.cutUploadAfter) end();
      else server.write(chunk);
    });
    server.on('data', (chunk: Buffer) => {
      const flipAt = (meddling?.flipDownloadAt ?? -1) - down;
      if (flipAt >= 0 && flipAt < chunk.length) chunk[flipAt] = (chunk[flipAt] ?? 0) ^ 1;
      const allowed = (meddling?.cutDownloadAfter ?? Number.POSITIVE_INFINITY) - down;
      down += chunk.length;
      client.write(chunk.subarray(0, Math.max(0, allowed)), () => {
        if (allowed < chunk.length) end();
      });
    });
  }
}

/** The answer of an overloaded S3. */
export const slowDown = [
  'HTTP/1.1 503 Slow Down',
  'content-type: application/xml',
  'connection: close',
  '',
  '<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>',
].join('\r\n');

/** The answer of a server that knows no conditional writes. */
export const notImplemented = [
  'HTTP/1.1 501 Not Implemented',
  'content-type: application/xml',
  'connection: close',
  '',
  '<?xml version="1.0"?><Error><Code>NotImplemented</Code><Message>A header is not implemented.</Message></Error>',
].join('\r\n');
