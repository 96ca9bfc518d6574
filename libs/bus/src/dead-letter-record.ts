import type { MsgHdrs } from '@nats-io/transport-node';
import type { BusInternals } from './bus.ts';
import { headerRecord } from './cloud-events.ts';
import { countDeadLetter } from './event-counters.ts';
import { subjects } from './subjects.ts';

/** At most so much of a body is kept with its dead letter, in bytes. */
export const keptBodyBytes = 1024 * 1024;

export interface Failure {
  readonly time: string;
  readonly reason: string;
}

export interface NewDeadLetter {
  /** De-duplication id: the same failure reported twice is kept once. */
  readonly id: string;
  readonly consumer: string;
  readonly subject: string;
  readonly reason: string;
  readonly attempts: number;
  readonly history: readonly Failure[];
  readonly headers: MsgHdrs | undefined;
  readonly body: Uint8Array;
}

/** A dead letter's body in the stream `DEAD`. */
export interface DeadLetterRecord {
  readonly consumer: string;
  readonly subject: string;
  readonly reason: string;
  readonly attempts: number;
  readonly time: string;
  readonly history: readonly Failure[];
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyBase64: string;
  /** Length of the whole body; more than is kept when it was cut. */
  readonly bodyBytes: number;
}

/** Stores a dead letter; resolves when the broker has it. */
export const publishDeadLetter = async (
  { publisher }: Pick<BusInternals, 'publisher'>,
  letter: NewDeadLetter,
): Promise<void> => {
  const { id, headers, body, ...rest } = letter;
  const record: DeadLetterRecord = {
    ...rest,
    time: new Date().toISOString(),
    headers: headerRecord(headers),
    bodyBase64: Buffer.from(body.subarray(0, keptBodyBytes)).toString('base64'),
    bodyBytes: body.length,
  };
  await publisher.publish(`${subjects.dead}.${letter.consumer}`, JSON.stringify(record), {
    id: `dead-${letter.consumer}-${id}`,
  });
  countDeadLetter(letter.consumer);
};
