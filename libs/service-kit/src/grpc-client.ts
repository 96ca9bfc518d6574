import { Client, connectivityState, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { TlsStore } from '@millrace/certificates';
import { Cancelled } from '@millrace/errors';
import { activeTraceHeaders, inSpan } from '@millrace/telemetry';
import { TlsChannelCredentials } from './grpc-credentials.ts';
import { fromGrpcError } from './grpc-errors.ts';
import { rpcClientSpan } from './rpc-spans.ts';
import type { CallOptions, RpcClient, RpcMethod, RpcService } from './rpc-types.ts';

const defaultTimeoutMs = 10_000;

/** How calls to one peer are made; reconnects when the peer's address changes. */
export class PeerChannel {
  readonly #peer: string;
  readonly #address: () => string;
  readonly #credentials: TlsChannelCredentials | undefined;
  #connected: { readonly address: string; readonly client: Client } | undefined;

  /** @param tls certificates for mutual TLS: the peer must show that of the service of its name */
  constructor(peer: string, address: () => string, tls?: TlsStore) {
    this.#peer = peer;
    this.#address = address;
    this.#credentials = tls === undefined ? undefined : new TlsChannelCredentials(tls, peer);
  }

  /** A typed client of one of the peer's services. Every call has a deadline and carries the trace. */
  service<S extends object>(definition: S): RpcClient<S> {
    const methods = Object.entries(definition as unknown as RpcService).map(([name, method]) => [
      name,
      (request: never, options?: CallOptions) => this.#call(method, request, options ?? {}),
    ]);
    return Object.fromEntries(methods) as RpcClient<S>;
  }

  close(): void {
    this.#connected?.client.close();
    this.#connected = undefined;
  }

  #client(): Client {
    const address = this.#address();
    if (this.#connected?.address !== address) {
      this.close();
      const client = new Client(address, this.#credentials ?? credentials.createInsecure(), {
        // A peer that restarts is back within seconds; the default backoff would hide it for minutes.
        'grpc.initial_reconnect_backoff_ms': 100,
        'grpc.max_reconnect_backoff_ms': 2_000,
      });
      this.#connected = { address, client };
    }
    return this.#connected.client;
  }

  #call<Request, Response>(
    method: RpcMethod<Request, Response>,
    request: Request,
    { timeoutMs = defaultTimeoutMs, signal }: CallOptions,
  ): Promise<Response> {
    const name = method.path.slice(1);
    const cancelled = (cause: unknown) => new Cancelled(`${name} was cancelled`, { cause });
    if (signal?.aborted === true) return Promise.reject(cancelled(signal.reason));
    return inSpan(name, rpcClientSpan(name, this.#address()), () => {
      // While the peer restarts, a call waits for it until its own deadline.
      const metadata = new Metadata({ waitForReady: true });
      for (const [key, value] of Object.entries(activeTraceHeaders())) metadata.set(key, value);
      return new Promise<Response>((resolve, reject) => {
        const client = this.#client();
        const connected = () => client.getChannel().getConnectivityState(false) === connectivityState.READY;
        const call = client.makeUnaryRequest(
          method.path,
          method.requestSerialize,
          method.responseDeserialize,
          request,
          metadata,
          { deadline: Date.now() + timeoutMs },
          (error: ServiceError | null, response?: Response) => {
            signal?.removeEventListener('abort', cancel);
            if (error !== null && signal?.aborted === true) reject(cancelled(error));
            else if (error !== null)
              reject(fromGrpcError(error, this.#peer, connected(), this.#credentials?.lastFailure));
            else resolve(response as Response);
          },
        );
        const cancel = () => call.cancel();
        signal?.addEventListener('abort', cancel, { once: true });
      });
    });
  }
}
