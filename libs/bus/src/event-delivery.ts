import type { EventDefinition } from '@millrace/contracts';
import { asMillraceError, Invalid, messageOf } from '@millrace/errors';
import type { JsMsg } from '@nats-io/jetstream';
import { headers, type MsgHdrs } from '@nats-io/transport-node';
import {
  attributesOf,
  type EventAttributes,
  headerRecord,
  headersFromRecord,
  replayHeader,
} from './cloud-events.ts';
import type { Event } from './port.ts';
import type { RefilledEvent } from './refill.ts';

/** An event to handle, whether it came over the stream or by a refill. */
export interface EventDelivery {
  readonly attributes: EventAttributes;
  readonly subject: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly rawHeaders: MsgHdrs;
  readonly body: Uint8Array;
  /** Times that the server delivered it, or the one that led to the refill. */
  readonly deliveryCount: number;
  /** The consumer that a dead letter is replayed for. */
  readonly replayFor: string | undefined;
  /** Absent for a refilled event: nothing to settle with the server. */
  readonly message: JsMsg | undefined;
}

/** Throws `Invalid` when the headers are not those of an event, or of one that belongs on another subject. */
export const deliveryOf = (message: JsMsg): EventDelivery => {
  const record = headerRecord(message.headers);
  return {
    attributes: ownAttributesOf(record, message.subject),
    subject: message.subject,
    headers: record,
    rawHeaders: message.headers ?? headers(),
    body: message.data,
    deliveryCount: message.info.deliveryCount,
    replayFor: record[replayHeader],
    message,
  };
};

/**
 * The attributes, which must be of the subject's type and entity: the broker says who may publish on a subject, and
 * nobody else says whose event it is.
 */
const ownAttributesOf = (record: Readonly<Record<string, string>>, subject: string): EventAttributes => {
  const attributes = attributesOf(record);
  if (attributes.type.replace(/^millrace\./, 'millrace.evt.') !== subject) {
    throw Invalid.field('ce-type', `"${attributes.type}" does not belong on the subject ${subject}`);
  }
  const [, , service, entity] = subject.split('.');
  if (!attributes.entity.startsWith(`${service}.${entity}/`)) {
    throw Invalid.field(
      'ce-millraceentity',
      `"${attributes.entity}" does not belong to ${service}.${entity}`,
    );
  }
  return attributes;
};

/** Throws `Invalid` like `deliveryOf`. */
export const deliveryOfRefill = (event: RefilledEvent, deliveryCount: number): EventDelivery => ({
  attributes: ownAttributesOf(event.headers, event.subject),
  subject: event.subject,
  headers: event.headers,
  rawHeaders: headersFromRecord(event.headers),
  body: Buffer.from(JSON.stringify(event.data)),
  deliveryCount,
  replayFor: undefined,
  message: undefined,
});

/** Throws `Invalid` when the body is not a JSON object that the definition's codec reads. */
export const decodeEvent = <T>(delivery: EventDelivery, definition: EventDefinition<T>): Event<T> => ({
  ...delivery.attributes,
  definition,
  headers: delivery.headers,
  data: decodeJson(delivery.body, definition.codec),
});

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Throws `Invalid` when the bytes are not a JSON object that the codec reads. */
export const decodeJson = <T>(body: Uint8Array, codec: { fromJSON(json: unknown): T }): T => {
  let json: unknown;
  try {
    json = JSON.parse(utf8.decode(body));
  } catch (thrown) {
    throw new Invalid(`the body is not JSON: ${messageOf(thrown)}`, { cause: thrown });
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new Invalid('the body is not a JSON object');
  }
  try {
    return codec.fromJSON(json);
  } catch (thrown) {
    const { violations } = asMillraceError(thrown);
    throw new Invalid(`the body does not fit its type: ${messageOf(thrown)}`, { cause: thrown, violations });
  }
};
