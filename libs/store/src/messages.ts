import { Invalid } from '@millrace/errors';
import { context, propagation, trace } from '@opentelemetry/api';
import { encodeJson } from './json.ts';
import { checkName } from './key.ts';
import type { InboxPosition, NewMessage } from './port.ts';
import { newUlid } from './ulids.ts';

/** A message checked and complete but for its position, sequence and time. */
export interface PreparedMessage extends NewMessage {
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  /** `data` as JSON text. */
  readonly dataJson: string;
}

// An entity's name holds a document's key and more.
const MAX_NAME_LENGTH = 1024;

const checkText = (value: unknown, field: string): string => checkName(value, field, MAX_NAME_LENGTH);

const checkHeaders = (headers: unknown, path: string): void => {
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (typeof value !== 'string') throw Invalid.field(`${path}.${name}`, 'must be a string');
  }
};

/** The caller's trace, unless the message already names its cause. */
const withTrace = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
  if (headers.traceparent !== undefined || trace.getActiveSpan() === undefined) return headers;
  const carrier = { ...headers };
  propagation.inject(context.active(), carrier);
  return carrier;
};

const prepareMessage = (message: NewMessage, position: number): PreparedMessage => {
  const path = `messages[${position}]`;
  checkText(message.subject, `${path}.subject`);
  checkText(message.type, `${path}.type`);
  checkText(message.key, `${path}.key`);
  if (message.entity !== undefined) checkText(message.entity, `${path}.entity`);
  if (message.id !== undefined) checkText(message.id, `${path}.id`);
  checkHeaders(message.headers, `${path}.headers`);
  return {
    ...message,
    id: message.id ?? newUlid(),
    headers: withTrace(message.headers ?? {}),
    dataJson: encodeJson(message.data, `${path}.data`),
  };
};

/** Checks messages, gives them ids and the active trace context. Throws `Invalid` naming the field. */
export const prepareMessages = (messages: readonly NewMessage[] = []): readonly PreparedMessage[] =>
  messages.map(prepareMessage);

/** Throws `Invalid` unless it is a position that can be recorded. */
export const checkInboxPosition = (position: InboxPosition, path = 'position'): InboxPosition => {
  checkText(position.consumer, `${path}.consumer`);
  checkText(position.entity, `${path}.entity`);
  if (Number.isSafeInteger(position.sequence) && position.sequence >= 1) return position;
  throw Invalid.field(`${path}.sequence`, 'must be a whole number from 1');
};
