import { FailedPrecondition, NotFound } from '@millrace/errors';
import type { StoredMsg } from '@nats-io/jetstream';
import type { Bus, BusInternals } from './bus.ts';
import { headersFromRecord, replayHeader } from './cloud-events.ts';
import type { DeadLetterRecord } from './dead-letter-record.ts';
import type { DeadLetter } from './port.ts';
import { checkToken, subjects } from './subjects.ts';
import { foundOrUndefined, streams } from './topology.ts';

export interface DeadLetterQuery {
  readonly consumer?: string;
  /** Only those with a higher sequence: the last one of the page before. */
  readonly after?: number;
  /** Default 100. */
  readonly limit?: number;
}

/** Dead letters, oldest first. */
export const listDeadLetters = async (
  { internals }: Bus,
  { consumer, after = 0, limit = 100 }: DeadLetterQuery = {},
): Promise<readonly DeadLetter[]> => {
  const scope = consumer === undefined ? '>' : checkToken(consumer, 'consumer');
  const letters: DeadLetter[] = [];
  for (let seq = after + 1; letters.length < limit; ) {
    const message = await internals.jsm.direct.getMessage(streams.dead, {
      seq,
      next_by_subj: `${subjects.dead}.${scope}`,
    });
    if (message === null) break;
    letters.push(await deadLetterOf(internals, message));
    seq = message.seq + 1;
  }
  return letters;
};

/** Throws `NotFound` when there is none with that sequence (any more). */
export const showDeadLetter = async (bus: Bus, sequence: number): Promise<DeadLetter> =>
  deadLetterOf(bus.internals, await find(bus.internals, sequence));

/**
 * Publishes the message again under its subject, to be handled by the consumer that failed; others have handled
 * it and skip it. Replaying twice has one effect: the second call publishes nothing and returns what the first
 * did. Throws `NotFound`, and `FailedPrecondition` when only a part of the body was kept.
 */
export const replayDeadLetter = async (bus: Bus, sequence: number): Promise<DeadLetter> => {
  const { internals } = bus;
  if (internals.topology.keptBy === 'keeper') {
    // Only the keeper may publish under the subjects of others.
    return (await bus.request(`${subjects.keeper}.replay`, { sequence })) as DeadLetter;
  }
  const message = await find(internals, sequence);
  const record = message.json<DeadLetterRecord>();
  const letter = await deadLetterOf(internals, message);
  if (letter.replayedAt !== undefined) return letter;
  if (letter.truncated) {
    throw new FailedPrecondition(
      `only a part of dead letter ${sequence} was kept, so it cannot be replayed`,
      {
        hint: 'Let its owner publish the message again.',
      },
    );
  }
  // Published, then marked: after a crash between them the id keeps a repeat off the stream for two minutes,
  // and the consumer's own record of the replay for ever.
  await internals.publisher.publish(record.subject, Buffer.from(record.bodyBase64, 'base64'), {
    headers: replayHeaders(record),
    id: `replay-${sequence}`,
  });
  await internals.publisher.publish(`${subjects.replayed}.${sequence}`, '', { id: `replayed-${sequence}` });
  return deadLetterOf(internals, message);
};

/** The original's headers without those that spoke to the server about it. */
const replayHeaders = ({ headers, consumer }: DeadLetterRecord) => {
  const kept = Object.entries(headers).filter(([name]) => !name.toLowerCase().startsWith('nats-'));
  return headersFromRecord({ ...Object.fromEntries(kept), [replayHeader]: consumer });
};

const find = async ({ jsm }: BusInternals, sequence: number): Promise<StoredMsg> => {
  const message = await foundOrUndefined(jsm.direct.getMessage(streams.dead, { seq: sequence }));
  if (!message?.subject.startsWith(`${subjects.dead}.`)) {
    throw new NotFound(`there is no dead letter ${sequence}`);
  }
  return message;
};

const deadLetterOf = async ({ jsm }: BusInternals, message: StoredMsg): Promise<DeadLetter> => {
  const { bodyBase64, bodyBytes, ...record } = message.json<DeadLetterRecord>();
  const body = Buffer.from(bodyBase64, 'base64');
  const text = textOf(body);
  const mark = await foundOrUndefined(
    jsm.direct.getMessage(streams.dead, { last_by_subj: `${subjects.replayed}.${message.seq}` }),
  );
  return {
    ...record,
    sequence: message.seq,
    body: text ?? bodyBase64,
    bodyEncoding: text === undefined ? 'base64' : 'utf8',
    truncated: body.length < bodyBytes,
    ...(mark ? { replayedAt: mark.time.toISOString() } : {}),
  };
};

const textOf = (body: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return undefined;
  }
};
