import { asMillraceError, ErrorCode, Invalid } from '@millrace/errors';
import type { Bus } from './bus.ts';
import { headersOf } from './cloud-events.ts';
import type { OutboxPort, StoredMessage } from './outbox-port.ts';
import type { Running } from './port.ts';
import { type EntityHead, isRecentRequest, recentHeads } from './recent-events.ts';
import { subjects } from './subjects.ts';

/** One event of a refill: as it would have come over the stream. */
export interface RefilledEvent {
  readonly subject: string;
  readonly sequence: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: unknown;
}

interface RefillRequest {
  readonly entity: string;
  readonly after: number;
  readonly upTo: number;
}

interface RefillAnswer {
  /** In order; a page of what was asked for, beginning with the oldest that the owner has. */
  readonly events: readonly RefilledEvent[];
}

interface RecentAnswer {
  readonly heads: readonly EntityHead[];
}

const pageEvents = 256;
const timeoutMs = 10_000;

export interface ServeRefillOptions {
  readonly bus: Bus;
  readonly outbox: OutboxPort;
  /** The owner of the events; default the bus's service. */
  readonly service?: string;
}

/** Answers consumers that miss events of this service, or ask what was sent lately, from its outbox. */
export const serveRefill = ({ bus, outbox, service = bus.service }: ServeRefillOptions): Running =>
  bus.reply(`${subjects.refill}.${service}`, async (json): Promise<RefillAnswer | RecentAnswer> => {
    if (isRecentRequest(json)) return recentHeads(json, outbox);
    const { entity, after, upTo } = checkRequest(json);
    const history = await outbox.history(entity, after, upTo);
    // Half of the limit leaves room for the answer's own form.
    return { events: firstPage(history, service, (bus.internals.nc.info?.max_payload ?? 1024 * 1024) / 2) };
  });

const checkRequest = (json: unknown): RefillRequest => {
  const { entity, after, upTo } = (json ?? {}) as Partial<Record<keyof RefillRequest, unknown>>;
  if (typeof entity !== 'string' || entity === '') throw Invalid.field('entity', 'must be a text');
  if (!isCount(after)) throw Invalid.field('after', 'must be a whole number from 0');
  if (!isCount(upTo)) throw Invalid.field('upTo', 'must be a whole number from 0');
  return { entity, after, upTo };
};

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const firstPage = (
  history: readonly StoredMessage[],
  service: string,
  maxBytes: number,
): readonly RefilledEvent[] => {
  const events: RefilledEvent[] = [];
  let bytes = 0;
  for (const message of history.slice(0, pageEvents)) {
    const event = {
      subject: message.subject,
      sequence: message.sequence,
      headers: headersOf(message, service),
      data: JSON.parse(message.json) as unknown,
    };
    bytes += Buffer.byteLength(JSON.stringify(event));
    // One that is too large alone is left out, as the stream has left it out: see `publishStored`.
    if (bytes > maxBytes && events.length > 0) break;
    if (bytes <= maxBytes) events.push(event);
    else bytes = 0;
  }
  return events;
};

/**
 * Asks the owner for events of an entity with `after < sequence <= upTo`; the answer may be only the first of
 * them. Throws `Unavailable` or `TimedOut` when the owner does not answer.
 */
export const requestRefill = async (
  bus: Bus,
  owner: string,
  request: RefillRequest,
): Promise<readonly RefilledEvent[]> => {
  const answer = (await bus.request(`${subjects.refill}.${owner}`, request, { timeoutMs })) as RefillAnswer;
  return answer.events;
};

/** Whether asking again later may help. */
export const isOwnerAway = (thrown: unknown): boolean => {
  const { code } = asMillraceError(thrown);
  return code === ErrorCode.unavailable || code === ErrorCode.timedOut;
};
