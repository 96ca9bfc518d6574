import { Unavailable } from '@millrace/errors';
import type { JetStreamClient, PubAck } from '@nats-io/jetstream';
import type { MsgHdrs } from '@nats-io/transport-node';

export interface AckedPublishOptions {
  /** De-duplication id. */
  readonly id?: string;
  readonly headers?: MsgHdrs;
}

const ackTimeoutMs = 5_000;

/**
 * Publishes to a stream and waits for the broker's ack. Without a connection it fails at once. A connection that
 * is lost fails what is under way, because its ack will never come; whether the broker has the message is then
 * unknown.
 */
export class AckedPublisher {
  readonly #js: JetStreamClient;
  readonly #underWay = new Set<(reason: unknown) => void>();
  #connected = true;

  constructor(js: JetStreamClient) {
    this.#js = js;
  }

  publish(subject: string, body: Uint8Array | string, options: AckedPublishOptions = {}): Promise<PubAck> {
    if (!this.#connected) return Promise.reject(new Unavailable('not connected to the broker'));
    return new Promise((resolve, reject) => {
      this.#underWay.add(reject);
      this.#js
        .publish(subject, body, {
          timeout: ackTimeoutMs,
          ...(options.headers === undefined ? {} : { headers: options.headers }),
          ...(options.id === undefined ? {} : { msgID: options.id }),
        })
        .then(resolve, reject)
        .finally(() => this.#underWay.delete(reject));
    });
  }

  connectionRestored(): void {
    this.#connected = true;
  }

  connectionLost(): void {
    this.#connected = false;
    for (const reject of this.#underWay) reject(new Unavailable('the connection to the broker was lost'));
    this.#underWay.clear();
  }
}
