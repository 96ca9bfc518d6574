import { headers as newHeaders } from '@nats-io/transport-node';
import type { Bus } from './bus.ts';
import { subjects } from './subjects.ts';
import { foundOrUndefined, streams } from './topology.ts';

/** A message of the stream `DEAD`, as a backup keeps it. */
export interface DeadLetterCopy {
  /** Its number, which the consumers' own records of replays name. */
  readonly sequence: number;
  readonly subject: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly dataBase64: string;
}

/**
 * Marks of replays that are younger are left out: what was replayed then may not be handled yet, and is nowhere else. To
 * replay a letter again is harmless, because its consumer knows.
 */
const youngMarkMs = 3_600_000;
/** What the server tells of a message that it hands out is not part of it. */
const ownHeader = /^nats-msg-id$/i;
const serverHeader = /^nats-/i;

/** The dead letters up to a time (ISO 8601), with the marks of those replayed: all that no outbox has. */
export const copyDeadLetters = async (
  { internals }: Bus,
  until: string,
): Promise<readonly DeadLetterCopy[]> => {
  const { jsm } = internals;
  const last = Date.parse(until);
  const copies: DeadLetterCopy[] = [];
  for (let seq = 1; ; ) {
    const message = await foundOrUndefined(jsm.direct.getMessage(streams.dead, { seq, next_by_subj: '>' }));
    if (!message) return copies;
    seq = message.seq + 1;
    const isMark = message.subject.startsWith(`${subjects.replayed}.`);
    if (message.time.getTime() > (isMark ? last - youngMarkMs : last)) continue;
    copies.push({
      sequence: message.seq,
      subject: message.subject,
      headers: [...message.header]
        .filter(([name]) => ownHeader.test(name) || !serverHeader.test(name))
        .flatMap(([name, values]) => values.map((value) => [name, value] as const)),
      dataBase64: Buffer.from(message.data).toString('base64'),
    });
  }
};

/** Stands where a number has no letter any more; removed again. */
const placeholder = `${subjects.dead}.placeholder`;

/** Puts dead letters back into an empty stream, under the numbers that they had. */
export const restoreDeadLetters = async (
  { internals }: Bus,
  copies: readonly DeadLetterCopy[],
): Promise<void> => {
  const { js, jsm } = internals;
  const [first] = copies;
  // An empty stream that is purged up to a number begins there.
  if (first !== undefined && first.sequence > 1)
    await jsm.streams.purge(streams.dead, { seq: first.sequence });
  let next = first?.sequence ?? 1;
  for (const { sequence, subject, headers, dataBase64 } of copies) {
    for (; next < sequence; next += 1) {
      const { seq } = await js.publish(placeholder, '');
      await jsm.streams.deleteMessage(streams.dead, seq);
    }
    const kept = newHeaders();
    for (const [name, value] of headers) kept.append(name, value);
    await js.publish(subject, Buffer.from(dataBase64, 'base64'), { headers: kept });
    next = sequence + 1;
  }
};
