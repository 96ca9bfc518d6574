import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';

const keepAliveMs = 15_000;

/** A server-sent event stream on a reply. Waits for a slow reader instead of buffering for it. */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #abort = new AbortController();
  readonly #keepAlive: NodeJS.Timeout;

  constructor(reply: FastifyReply) {
    reply.hijack();
    this.#response = reply.raw;
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    // Reaches the client at once, so that it knows it is listening.
    this.#response.write(': listening\n\n');
    this.#keepAlive = setInterval(() => this.#response.write(': keep-alive\n\n'), keepAliveMs);
    this.#response.on('close', () => {
      clearInterval(this.#keepAlive);
      this.#abort.abort();
    });
  }

  /** Aborted when the reader is gone. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  async send(event: string, data: unknown, id?: number): Promise<void> {
    if (this.signal.aborted) return;
    const head = id === undefined ? '' : `id: ${id}\n`;
    if (this.#response.write(`${head}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)) return;
    await new Promise<void>((resolve) => {
      const go = () => {
        this.#response.off('drain', go);
        this.signal.removeEventListener('abort', go);
        resolve();
      };
      this.#response.once('drain', go);
      this.signal.addEventListener('abort', go, { once: true });
    });
  }

  end(): void {
    this.#response.end();
  }
}
