import { expectServer, type TlsStore } from '@millrace/certificates';
import { activeTraceHeaders } from '@millrace/telemetry';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import { inHttpClientSpan } from './http-spans.ts';

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

/**
 * HTTP calls to the own listener of one service: with mutual TLS where that is on. Reconnects when the service's
 * address changes; new connections use the present certificates.
 */
export class HttpPeer {
  readonly #peer: string;
  readonly #address: () => string;
  readonly #tls: TlsStore | undefined;
  readonly #options: HttpPeerOptions;
  #pool: { readonly origin: string; readonly pool: Pool } | undefined;

  constructor(peer: string, address: () => string, tls: TlsStore | undefined, options: HttpPeerOptions) {
    this.#peer = peer;
    this.#address = address;
    this.#tls = tls;
    this.#options = options;
  }

  /** Throws what `undici` throws when there is no answer. */
  request(options: HttpPeerRequest): Promise<Dispatcher.ResponseData> {
    const pool = this.#current();
    const url = new URL(options.path.split('?')[0] ?? '', this.#pool?.origin);
    return inHttpClientSpan(options.method, url, () =>
      pool.request({ ...options, headers: { ...options.headers, ...activeTraceHeaders() } }),
    );
  }

  async close(): Promise<void> {
    await this.#pool?.pool.close();
  }

  #current(): Pool {
    const origin = `${this.#tls === undefined ? 'http' : 'https'}://${this.#address()}`;
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
