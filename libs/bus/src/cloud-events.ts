import { Invalid } from '@millrace/errors';
import { canonicalMIMEHeaderKey, type MsgHdrs, MsgHdrsImpl } from '@nats-io/transport-node';
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

const safeText = /^[\x21\x23\x24\x26-\x7e]*$/;
const unsafe = /[^\x21-\x7e]|["%]/gu;

/** Most values are safe, which is cheaper to see than nothing is to replace. */
const encode = (value: string): string =>
  safeText.test(value) ? value : value.replace(unsafe, (c) => percentEncode(c));

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

/** Headers of an outbox message as plain text. Attributes that come with the message cannot replace those set here. */
export const headersOf = (message: StoredMessage, service: string): Record<string, string> => {
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
  return attributes;
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

/** Names that were found fit for a header; they are few, since they are written in code. */
const fitNames = new Set<string>();

const checkName = (name: string): void => {
  if (fitNames.has(name)) return;
  canonicalMIMEHeaderKey(name);
  if (fitNames.size < 1_000) fitNames.add(name);
};

/**
 * Throws the client's error on a name that no header can have. Made at once: one by one, each name is compared with all
 * before it.
 */
export const headersFromRecord = (record: Readonly<Record<string, string>>): MsgHdrs => {
  const encoded: Record<string, string[]> = {};
  for (const [name, value] of Object.entries(record)) {
    checkName(name);
    encoded[name] = [encode(value)];
  }
  return MsgHdrsImpl.fromRecord(encoded);
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
