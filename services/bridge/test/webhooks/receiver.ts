import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as the receiver saw it. */
export interface Received {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly path: string;
}

/** What the receiver does with a request; `acknowledge` is 204. */
export type Answer = (response: ServerResponse, received: Received) => void;

export const acknowledge: Answer = (response) => response.writeHead(204).end();

export const answerWith =
  (status: number, headers: Readonly<Record<string, string>> = {}, body = ''): Answer =>
  (response) =>
    response.writeHead(status, headers).end(body);

/** A real HTTP server that keeps what it is sent. Requests that it acknowledged are in `acknowledged`. */
export class Receiver {
  readonly requests: Received[] = [];
  readonly acknowledged: Received[] = [];
  answer: Answer = acknowledge;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(port = 0): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    server.on('request', async (request, response: ServerResponse) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const received = {
        id: String(request.headers['webhook-id']),
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
        path: request.url ?? '',
      };
      receiver.requests.push(received);
      response.once('finish', () => {
        if (response.statusCode >= 200 && response.statusCode < 300) receiver.acknowledged.push(received);
      });
      receiver.answer(response, received);
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  /** Ids of the messages that it acknowledged, in the order of their arrival, with repeats. */
  get ids(): readonly string[] {
    return this.acknowledged.map(({ id }) => id);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
