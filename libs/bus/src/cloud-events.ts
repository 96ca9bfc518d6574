import { Invalid } from '@millrace/errors';
import { headers, type MsgHdrs } from '@nats-io/transport-node';
import type { StoredMessage } from './outbox-port.ts';

/**
 * CloudEvents 1.0 in binary mode over NATS headers (the NATS protocol binding): attributes as `ce-*` headers,
 * percent-encoded where a header cannot hold a character, the payload as the body.
 */

/** The attributes of an event that the bus reads, from its headers. */
export interface EventAttributes {
  readonly id: string;
  readonly type: string;
  readonly key: string;
  readonly time: string;
  readonly entity: string;
  readonly sequence: number;
}

/** Ours: the outbox position, by which the relay sees what a broker lost. */
export const positionHeader = 'ce-millraceposition';
/** Ours: names the consumer that a dead letter is replayed for; the others skip it as handled. */
export const replayHeader = 'millrace-replay';

const unsafe = /[^\x21-\x7e]|["%]/gu;

const encode = (value: string): string => value.replace(unsafe, (c) => percentEncode(c));

const percentEncode = (character: string): string =>
  [...new TextEncoder().encode(character)]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');

const decode = (value: string): string => {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
};

/** Headers of an outbox message. Attributes that come with the message cannot replace those set here. */
export const headersOf = (message: StoredMessage, service: string): MsgHdrs => {
  const result = headers();
  for (const [name, value] of Object.entries(message.headers ?? {})) result.set(name, encode(value));
  result.set('ce-specversion', '1.0');
  result.set('ce-id', encode(message.id));
  result.set('ce-type', message.type);
  result.set('ce-source', `/millrace/${service}`);
  result.set('ce-subject', encode(message.key));
  result.set('ce-time', message.time);
  result.set(positionHeader, String(message.position));
  if (message.entity !== undefined) {
    result.set('ce-sequence', String(message.sequence));
    result.set('ce-millraceentity', encode(message.entity));
  }
  result.set('content-type', 'application/json');
  return result;
};

/** All headers as plain text, the last value where one is repeated. */
export const headerRecord = (received: MsgHdrs | undefined): Record<string, string> => {
  const record: Record<string, string> = {};
  for (const [name, values] of received ?? []) {
    const value = values.at(-1);
    if (value !== undefined) record[name] = decode(value);
  }
  return record;
};

export const headersFromRecord = (record: Readonly<Record<string, string>>): MsgHdrs => {
  const result = headers();
  for (const [name, value] of Object.entries(record)) result.set(name, encode(value));
  return result;
};

/** Throws `Invalid` naming the header that is missing or wrong. */
export const attributesOf = (record: Readonly<Record<string, string>>): EventAttributes => {
  const sequence = Number(required(record, 'ce-sequence'));
  if (!Number.isSafeInteger(sequence) || sequence < 1) {
    throw Invalid.field('ce-sequence', 'must be a whole number from 1');
  }
  return {
    id: required(record, 'ce-id'),
    type: required(record, 'ce-type'),
    key: required(record, 'ce-subject'),
    time: required(record, 'ce-time'),
    entity: required(record, 'ce-millraceentity'),
    sequence,
  };
};

const required = (record: Readonly<Record<string, string>>, name: string): string => {
  const value = record[name];
  if (value) return value;
  throw Invalid.field(name, 'is missing');
};
