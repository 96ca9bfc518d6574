import type { IncomingMessage, ServerResponse } from 'node:http';
import { expectServer, type TlsStore } from '@millrace/certificates';
import { TimedOut } from '@millrace/errors';
import { activeTraceHeaders } from '@millrace/telemetry';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import { inHttpClientSpan } from './http-spans.ts';
import type { LocalListener, PassedHeaders } from './local-listener.ts';

export interface HttpPeerOptions {
  /** Connections at once; each carries one request at a time. */
  readonly connections: number;
  /** Milliseconds until a request without an answer is given up. */
  readonly timeoutMs: number;
}

/** A request to a peer, as `undici` takes it. The active trace travels with it. */
export type HttpPeerRequest = Omit<Dispatcher.RequestOptions, 'origin' | 'headers'> & {
  readonly headers?: Readonly<Record<string, string>>;
};

/** Where a peer is found; asked at each call, so that it may change. */
export interface HttpPeerPlace {
  /** `host:port`. */
  readonly address: () => string;
  /** The peer's listener, when it runs in this process. */
  readonly local?: () => LocalListener | undefined;
}

/**
 * HTTP calls to the own listener of one service: with mutual TLS where that is on. Reconnects when the service's
 * address changes; new connections use the present certificates.
 */
export class HttpPeer {
  readonly #peer: string;
  readonly #place: HttpPeerPlace;
  readonly #tls: TlsStore | undefined;
  readonly #options: HttpPeerOptions;
  #pool: { readonly origin: string; readonly pool: Pool } | undefined;

  constructor(peer: string, place: HttpPeerPlace, tls: TlsStore | undefined, options: HttpPeerOptions) {
    this.#peer = peer;
    this.#place = place;
    this.#tls = tls;
    this.#options = options;
  }

  /** Throws what `undici` throws when there is no answer. */
  request(options: HttpPeerRequest): Promise<Dispatcher.ResponseData> {
    const pool = this.#current();
    return inHttpClientSpan(options.method, this.#urlOf(options.path), () =>
      pool.request({ ...options, headers: { ...options.headers, ...activeTraceHeaders() } }),
    );
  }

  /**
   * Hands a request that came to this service over to a peer that runs in the same process: it reads the body and
   * answers. `undefined` when the peer does not, and has to be asked with `request`.
   *
   * @returns resolves when the answer has ended, or its client is gone; throws TimedOut when none has begun in time
   */
  handOver(
    request: IncomingMessage,
    response: ServerResponse,
    passed: PassedHeaders,
  ): Promise<unknown> | undefined {
    const listener = this.#place.local?.();
    if (listener === undefined || !listener.isOpen) return undefined;
    return inHttpClientSpan(request.method ?? '', this.#urlOf(request.url ?? ''), async () => {
      await this.#inTime(response, listener.answer(request, response, passed));
      return response;
    });
  }

  #inTime(response: ServerResponse, answered: Promise<void>): Promise<void> {
    const { timeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        if (response.headersSent) return;
        reject(new TimedOut(`${this.#peer} did not answer within ${timeoutMs} ms`));
      };
      const timer = setTimeout(giveUp, timeoutMs);
      answered.then(() => {
        clearTimeout(timer);
        resolve();
      }, reject);
    });
  }

  /** The address of a path, for a span that is recorded: the query is left out, since anything may stand in it. */
  #urlOf(path: string): () => URL {
    return () => new URL(path.split('?')[0] ?? '', this.#origin());
  }

  #origin(): string {
    return `${this.#tls === undefined ? 'http' : 'https'}://${this.#place.address()}`;
  }

  async close(): Promise<void> {
    await this.#pool?.pool.close();
  }

  #current(): Pool {
    const origin = this.#origin();
    if (this.#pool?.origin !== origin) {
      // What it has under way still ends.
      this.#pool?.pool.close().catch(() => {});
      this.#pool = { origin, pool: this.#open(origin) };
    }
    return this.#pool.pool;
  }

  #open(origin: string): Pool {
    const { connections, timeoutMs } = this.#options;
    const tls = this.#tls;
    return new Pool(origin, {
      connections,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      ...(tls === undefined ? {} : { connect: this.#secureConnector(tls) }),
    });
  }

  #secureConnector(tls: TlsStore): buildConnector.connector {
    const checkServerIdentity = expectServer({ kind: 'service', name: this.#peer });
    return (options, callback) =>
      buildConnector({ secureContext: tls.current.context, checkServerIdentity })(options, callback);
  }
}
