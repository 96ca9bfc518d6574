import type { TailedEvent } from '@millrace/bus';

/** What is wrong with the events of one entity. */
export interface BrokenSequence {
  readonly entity: string;
  /** In the order of the stream. */
  readonly sequences: readonly number[];
  /** Numbers that two different events claim: the owner forgot that it had given them. */
  readonly claimedTwice: readonly number[];
  /** The very same event more than once: harmless where a stream was rebuilt. */
  readonly repeated: readonly number[];
  readonly missing: readonly number[];
  /** Numbers that came first after a higher one. */
  readonly overtaken: readonly number[];
  readonly events: readonly TailedEvent[];
}

/** Entities of which an event is missing, on the stream twice, too late, or numbered like another one. */
export const findBrokenSequences = (events: readonly TailedEvent[]): readonly BrokenSequence[] =>
  [...byEntity(events)].flatMap(([entity, own]) => {
    const ids = new Map<number, Set<string>>();
    for (const { sequence, id } of own) ids.set(sequence, (ids.get(sequence) ?? new Set()).add(id));
    const claimedTwice = [...ids].filter(([, different]) => different.size > 1).map(([number]) => number);
    const repeated = [...ids.keys()].filter(
      (number) => own.filter(({ sequence }) => sequence === number).length > (ids.get(number)?.size ?? 0),
    );
    const last = Math.max(0, ...ids.keys());
    const missing = Array.from({ length: last }, (_, i) => i + 1).filter((number) => !ids.has(number));
    const firsts = [...ids.keys()];
    const overtaken = firsts.filter((number, i) => firsts.slice(0, i).some((before) => before > number));
    if (claimedTwice.length + repeated.length + missing.length + overtaken.length === 0) return [];
    const sequences = own.map(({ sequence }) => sequence);
    return [{ entity, sequences, claimedTwice, repeated, missing, overtaken, events: own }];
  });

export const byEntity = (events: readonly TailedEvent[]): ReadonlyMap<string, readonly TailedEvent[]> => {
  const entities = new Map<string, TailedEvent[]>();
  for (const event of events) {
    const own = entities.get(event.entity);
    if (own === undefined) entities.set(event.entity, [event]);
    else own.push(event);
  }
  return entities;
};

/** `training.run/abc: 1, 2, 1 — 1 was given to two events:` with all that either event says of itself. */
export const describeBrokenSequence = (broken: BrokenSequence): string => {
  const { entity, sequences, claimedTwice, repeated, missing, overtaken, events } = broken;
  const told = [
    ...(claimedTwice.length === 0 ? [] : [`${claimedTwice.join(', ')} given to different events`]),
    ...(repeated.length === 0 ? [] : [`${repeated.join(', ')} repeated`]),
    ...(missing.length === 0 ? [] : [`${missing.join(', ')} missing`]),
    ...(overtaken.length === 0 ? [] : [`${overtaken.join(', ')} after later ones`]),
  ];
  const shown = new Set([
    ...claimedTwice,
    ...repeated,
    ...overtaken,
    ...missing.flatMap((n) => [n - 1, n + 1]),
  ]);
  const details = events.filter(({ sequence }) => shown.has(sequence)).map(describeEvent);
  return [`${entity}: ${sequences.join(', ')} — ${told.join('; ')}`, ...details].join('\n');
};

const describeEvent = ({ streamSequence, sequence, time, headers, data }: TailedEvent): string =>
  [
    `  sequence ${sequence} at ${streamSequence} of the stream, committed ${time}`,
    ...Object.entries(headers).map(([name, value]) => `    ${name}: ${value}`),
    `    ${JSON.stringify(data).slice(0, 300)}`,
  ].join('\n');
