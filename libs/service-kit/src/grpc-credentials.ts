import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { CallCredentials, ChannelCredentials, type experimental, ServerCredentials } from '@grpc/grpc-js';
import { expectServer, type TlsStore } from '@millrace/certificates';
import { messageOf } from '@millrace/errors';

/**
 * Mutual TLS of a gRPC listener: a certificate that the authorities vouch for is asked of every client. New handshakes
 * use what the files of the store hold at the time.
 */
export class TlsServerCredentials extends ServerCredentials {
  constructor(tls: TlsStore) {
    const verification = {
      requestCert: true,
      rejectUnauthorized: true,
      // A resumed session would skip the check of a certificate that was revoked or has expired since.
      secureOptions: constants.SSL_OP_NO_TICKET,
    };
    super(verification, { ...tls.current.options, secureOptions: constants.SSL_OP_NO_TICKET });
    tls.onChange(({ options }) =>
      this.updateSecureContextOptions({ ...options, secureOptions: constants.SSL_OP_NO_TICKET }),
    );
  }

  _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

/** Milliseconds that a handshake may take. */
const handshakeMs = 10_000;

type SecureConnector = experimental.SecureConnector;

/**
 * Mutual TLS of a channel to one service: its certificate must name that service, whatever the address by which it was
 * found. Each connection uses what the files of the store hold at the time.
 */
export class TlsChannelCredentials extends ChannelCredentials {
  readonly #tls: TlsStore;
  readonly #peer: string;
  #lastFailure: string | undefined;

  constructor(tls: TlsStore, peer: string) {
    super();
    this.#tls = tls;
    this.#peer = peer;
  }

  /** Why the last connection could not be made or was refused; `undefined` after one that could. */
  get lastFailure(): string | undefined {
    return this.#lastFailure;
  }

  _isSecure(): boolean {
    return true;
  }

  _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  _createSecureConnector(
    _target: unknown,
    _options: unknown,
    callCredentials = CallCredentials.createEmpty(),
  ): SecureConnector {
    return {
      connect: (socket) => this.#connect(socket),
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => callCredentials,
      destroy: () => {},
    };
  }

  #connect(socket: Socket): Promise<{ socket: Socket; secure: boolean }> {
    const options: ConnectionOptions = {
      socket,
      secureContext: this.#tls.current.context,
      ALPNProtocols: ['h2'],
      checkServerIdentity: expectServer({ kind: 'service', name: this.#peer }),
    };
    const secured = connect(options);
    return new Promise((resolve, reject) => {
      let pending = true;
      const settle = (): boolean => {
        const first = pending;
        pending = false;
        clearTimeout(late);
        return first;
      };
      const fail = (thrown: Error) => {
        if (settle()) this.#lastFailure = messageOf(thrown);
        secured.destroy();
        reject(thrown);
      };
      const late = setTimeout(() => fail(new Error('no answer during the TLS handshake')), handshakeMs);
      // In TLS 1.3 a server refuses a certificate after the handshake has ended for us. One that accepts it sends the
      // settings of HTTP/2 at once; they wait in the socket until they are read.
      const accepted = () => {
        // It is said to be readable at its end too.
        if (!secured.authorized || secured.readableLength === 0 || !settle()) return;
        secured.off('readable', accepted);
        this.#lastFailure = undefined;
        resolve({ socket: secured, secure: true });
      };
      secured.on('readable', accepted);
      // These stay: an error without a listener would end the process.
      secured.on('error', fail);
      secured.on('close', () =>
        fail(
          new Error(
            secured.authorized
              ? 'the server closed the connection, as it does when it refuses our certificate'
              : 'the connection was closed during the TLS handshake',
          ),
        ),
      );
    });
  }
}
