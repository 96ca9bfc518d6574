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
  const attributes: Record<string, string> = {
    ...message.headers,
    'ce-specversion': '1.0',
    'ce-id': message.id,
    'ce-type': message.type,
    'ce-source': `/millrace/${service}`,
    'ce-subject': message.key,
    'ce-time': message.time,
    [positionHeader]: String(message.position),
    'content-type': 'application/json',
  };
  if (message.entity !== undefined) {
    attributes['ce-sequence'] = String(message.sequence);
    attributes['ce-millraceentity'] = message.entity;
  }
  return headersFromRecord(attributes);
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
  // The names of a record differ, so that none has to be looked for and replaced.
  for (const [name, value] of Object.entries(record)) result.append(name, encode(value));
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
