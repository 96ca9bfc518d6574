import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { context, type SpanContext, trace } from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';
import { whenClosed } from './when-closed.ts';

/** Headers that go along when a request is passed on, by their names in lower case; nothing else does. */
export interface PassedHeaders {
  readonly request: readonly string[];
  readonly answer: readonly string[];
}

/** Milliseconds that requests handed over before the end may take. */
const endGraceMs = 5_000;

/** They say where a body ends: the one who reads it needs them. */
const framing = ['content-length', 'transfer-encoding'] as const;

const picked = (
  headers: IncomingMessage['headers'],
  ...lists: readonly (readonly string[])[]
): Record<string, string | string[]> => {
  const kept: Record<string, string | string[]> = {};
  for (const names of lists) {
    for (const name of names) {
      const value = headers[name];
      if (value !== undefined) kept[name] = value;
    }
  }
  return kept;
};

interface HandedOver {
  readonly to: LocalListener;
  /** Headers that the answer may have. */
  readonly shown: readonly string[];
  /** The span of whoever handed it over. */
  readonly cause: SpanContext | undefined;
}

const handedOver = Symbol('handed over');

interface MaybeHandedOver extends IncomingMessage {
  [handedOver]?: HandedOver;
}

/**
 * A service's HTTP listener as the other services of its process see it: instead of asking over the loopback they hand
 * over requests as these came to them, the bodies unread, and the service answers them itself.
 */
export class LocalListener {
  readonly #app: FastifyInstance;
  #underWay = 0;
  #isClosed = false;

  /** @param app without routes so far */
  constructor(app: FastifyInstance) {
    this.#app = app;
    app.addHook('onSend', (request, reply, payload, done) => {
      const known = this.#find(request.raw);
      if (known !== undefined) {
        for (const name in reply.getHeaders()) {
          if (!known.shown.includes(name) && name !== 'connection') reply.removeHeader(name);
        }
      }
      done(null, payload);
    });
  }

  get isOpen(): boolean {
    return !this.#isClosed;
  }

  /** Whether a request came from another service of the process, whose listener has the connection. */
  has(request: IncomingMessage): boolean {
    return this.#find(request) !== undefined;
  }

  /** The span in which a request was handed over: what `traceparent` says of one that came over the network. */
  causeOf(request: IncomingMessage): SpanContext | undefined {
    return this.#find(request)?.cause;
  }

  #find(request: MaybeHandedOver): HandedOver | undefined {
    const found = request[handedOver];
    return found?.to === this ? found : undefined;
  }

  /** Has a request answered, within the active trace; resolves when the answer has ended, or its client is gone. */
  async answer(request: IncomingMessage, response: ServerResponse, passed: PassedHeaders): Promise<void> {
    if (response.closed) return;
    // What nobody passed on must not be there for anybody to rely on.
    request.headers = picked(request.headers, framing, passed.request);
    const cause = trace.getSpanContext(context.active());
    (request as MaybeHandedOver)[handedOver] = { to: this, shown: passed.answer, cause };
    this.#underWay += 1;
    await new Promise<void>((resolve) => {
      whenClosed(response, () => {
        this.#underWay -= 1;
        resolve();
      });
      this.#app.routing(request, response);
    });
  }

  /** Takes no more requests, and lets those it has come to their end. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const begun = performance.now();
    while (this.#underWay > 0 && performance.now() - begun < endGraceMs) await delay(lookMs);
  }
}

const lookMs = 20;
