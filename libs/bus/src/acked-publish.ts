import { Unavailable } from '@millrace/errors';
import { type ApiError, JetStreamApiError, type PubAck } from '@nats-io/jetstream';
import {
  createInbox,
  headers,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  PermissionViolationError,
} from '@nats-io/transport-node';

export interface AckedPublishOptions {
  /** De-duplication id. */
  readonly id?: string;
  /** Become the message's own: the id is added to them. */
  readonly headers?: MsgHdrs;
}

interface UnderWay {
  readonly subject: string;
  /** By `performance.now()`. */
  readonly deadline: number;
  readonly resolve: (ack: PubAck) => void;
  readonly reject: (reason: unknown) => void;
}

const ackTimeoutMs = 5_000;
const noResponders = 503;

/**
 * Publishes to streams and waits for the broker's acks. They come by one subscription, each under a number of its own:
 * the client's own requests make a timer and an error object for each message, a quarter of the publishing time.
 *
 * Without a connection it fails at once. A connection that is lost fails what is under way, because its ack will never
 * come; whether the broker has the message is then unknown.
 */
export class AckedPublisher {
  readonly #nc: NatsConnection;
  readonly #inbox: string;
  /** By number; the oldest first, and so in the order of their deadlines. */
  readonly #underWay = new Map<string, UnderWay>();
  #number = 0;
  #timer: NodeJS.Timeout | undefined;
  #connected = true;

  /** `inboxPrefix` is that of the connection, below which it may subscribe. */
  constructor(nc: NatsConnection, inboxPrefix: string) {
    this.#nc = nc;
    this.#inbox = createInbox(inboxPrefix);
    nc.subscribe(`${this.#inbox}.*`, { callback: (_error, message) => this.#answered(message) });
  }

  publish(subject: string, body: Uint8Array | string, options: AckedPublishOptions = {}): Promise<PubAck> {
    if (!this.#connected) return Promise.reject(new Unavailable('not connected to the broker'));
    const messageHeaders = options.headers ?? headers();
    if (options.id !== undefined) messageHeaders.set('Nats-Msg-Id', options.id);
    return new Promise((resolve, reject) => {
      this.#number += 1;
      const number = String(this.#number);
      this.#nc.publish(subject, body, { reply: `${this.#inbox}.${number}`, headers: messageHeaders });
      this.#underWay.set(number, { subject, deadline: performance.now() + ackTimeoutMs, resolve, reject });
      this.#timer ??= setTimeout(() => this.#giveUp(), ackTimeoutMs);
    });
  }

  connectionRestored(): void {
    this.#connected = true;
  }

  connectionLost(): void {
    this.#connected = false;
    this.#fail(() => true, new Unavailable('the connection to the broker was lost'));
  }

  /** The broker's word on something that it did not do: nothing else tells of a subject that is forbidden. */
  brokerRefused(error: unknown): void {
    if (!(error instanceof PermissionViolationError) || error.operation !== 'publish') return;
    this.#fail(({ subject }) => subject === error.subject, error);
  }

  #answered(message: Msg): void {
    const number = message.subject.slice(this.#inbox.length + 1);
    const underWay = this.#underWay.get(number);
    if (underWay === undefined) return;
    this.#underWay.delete(number);
    try {
      underWay.resolve(ackOf(message));
    } catch (thrown) {
      underWay.reject(thrown);
    }
  }

  #giveUp(): void {
    const now = performance.now();
    this.#timer = undefined;
    this.#fail(({ deadline }) => deadline <= now, new Unavailable('the broker did not acknowledge in time'));
    const [oldest] = this.#underWay.values();
    if (oldest !== undefined) this.#timer = setTimeout(() => this.#giveUp(), oldest.deadline - now);
  }

  #fail(isMeant: (underWay: UnderWay) => boolean, reason: unknown): void {
    for (const [number, underWay] of this.#underWay) {
      if (!isMeant(underWay)) continue;
      this.#underWay.delete(number);
      underWay.reject(reason);
    }
  }
}

/** Throws what the broker answers instead of an ack. */
const ackOf = (message: Msg): PubAck => {
  if (message.data.length === 0 && message.headers?.code === noResponders) {
    throw new Unavailable('no stream of the broker takes this subject, or JetStream is not up');
  }
  const answer = message.json<PubAck & { readonly error?: ApiError }>();
  if (answer.error !== undefined) throw new JetStreamApiError(answer.error);
  return { ...answer, duplicate: answer.duplicate ?? false };
};
