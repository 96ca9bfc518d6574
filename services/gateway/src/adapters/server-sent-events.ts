import type { ServerResponse } from 'node:http';
import { asMillraceError, errorToJson } from '@millrace/errors';
import { observeMetric } from '@millrace/telemetry';
import type { FastifyReply } from 'fastify';
import { cutWhenStalled, type StallOptions } from './stalled-reader.ts';

const keepAliveMs = 15_000;

/** Streams of this process. */
let open = 0;

/** Shows how many streams are open. Returns how to stop it. */
export const observeStreams = (): (() => void) =>
  observeMetric('millrace_gateway_streams_open', () => [{ value: open, labels: {} }]);

/**
 * A server-sent event stream on a reply. Waits for a slow reader instead of buffering for it, and cuts off one that takes
 * nothing at all.
 */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #abort = new AbortController();
  readonly #keepAlive: NodeJS.Timeout;

  constructor(reply: FastifyReply, options: StallOptions) {
    reply.hijack();
    open += 1;
    this.#response = reply.raw;
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    // Reaches the client at once, so that it knows it is listening.
    this.#response.write(': listening\n\n');
    cutWhenStalled(this.#response, reply.request.url.split('?')[0] ?? '', options);
    this.#keepAlive = setInterval(() => {
      if (!this.#response.writableNeedDrain) this.#response.write(': keep-alive\n\n');
    }, keepAliveMs);
    this.#response.on('close', () => {
      clearInterval(this.#keepAlive);
      open -= 1;
      this.#abort.abort();
    });
  }

  /** Aborted when the reader is gone. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /**
   * Does the work that feeds the stream, and ends the stream with it, whatever happens: a reader whose stream
   * ends connects again and goes on where it was.
   */
  async run(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      // The answer has begun, so it can no longer become an error.
      if (!this.signal.aborted) this.#write('error', { error: errorToJson(asMillraceError(thrown)) });
    } finally {
      this.#response.end();
    }
  }

  async send(event: string, data: unknown, id?: number): Promise<void> {
    if (this.signal.aborted || this.#write(event, data, id)) return;
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

  /** Sends what may be lost: nothing while the reader is behind. */
  offer(event: string, data: unknown): void {
    if (!this.signal.aborted && !this.#response.writableNeedDrain) this.#write(event, data);
  }

  #write(event: string, data: unknown, id?: number): boolean {
    const head = id === undefined ? '' : `id: ${id}\n`;
    return this.#response.write(`${head}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }
}
