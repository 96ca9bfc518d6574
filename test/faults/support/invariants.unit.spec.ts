import type { TailedEvent } from '@millrace/bus';
import { Invalid, Unavailable } from '@millrace/errors';
import { expect, test } from 'vitest';
import { describeBrokenSequence, findBrokenSequences } from './event-sequences.ts';
import { countsLine, History } from './history.ts';
import { rebuildState } from './rebuilt-state.ts';
import { Workload } from './workload.ts';
import type { WriteKind } from './writes.ts';

const eventAt = (
  streamSequence: number,
  sequence: number,
  id: string,
  entity = 'training.run/a',
): TailedEvent => ({
  streamSequence,
  sequence,
  id,
  entity,
  subject: 'millrace.evt.training.run.started.v1',
  type: 'millrace.training.run.started.v1',
  source: '/millrace/training',
  key: entity.slice(entity.indexOf('/') + 1),
  time: '2013-01-01T00:00:00.000Z',
  data: { run: { status: 'RUN_STATUS_RUNNING' } },
  headers: { 'ce-id': id },
});

test('two events with the same number are told with all that they say of themselves', () => {
  const [broken] = findBrokenSequences([eventAt(1, 1, 'x'), eventAt(2, 2, 'y'), eventAt(3, 1, 'z')]);
  expect(broken).toMatchObject({ sequences: [1, 2, 1], claimedTwice: [1], repeated: [], missing: [] });
  const text = broken === undefined ? '' : describeBrokenSequence(broken);
  expect(text).toContain('training.run/a: 1, 2, 1 — 1 given to different events');
  expect(text).toMatch(
    /sequence 1 at 1 of the stream[\s\S]*ce-id: x[\s\S]*sequence 1 at 3 of the stream[\s\S]*ce-id: z/,
  );
});

test('an event that came twice is no other event, and a gap is a gap', () => {
  expect(findBrokenSequences([eventAt(1, 1, 'x'), eventAt(2, 1, 'x')])).toMatchObject([{ repeated: [1] }]);
  expect(findBrokenSequences([eventAt(1, 1, 'x'), eventAt(2, 3, 'y')])).toMatchObject([{ missing: [2] }]);
  expect(findBrokenSequences([eventAt(1, 2, 'y'), eventAt(2, 1, 'x')])).toMatchObject([{ overtaken: [1] }]);
  expect(findBrokenSequences([eventAt(1, 1, 'x'), eventAt(2, 2, 'y')])).toEqual([]);
});

test('a rebuild counts each event once, in the order of its entity', () => {
  const finished = { ...eventAt(1, 2, 'y'), type: 'millrace.training.run.finished.v1' };
  const { trainingRuns } = rebuildState([finished, eventAt(2, 1, 'x'), eventAt(3, 1, 'x')]);
  expect([...trainingRuns]).toEqual([['a', 'FINISHED']]);
});

/** Answers numbers 1 … 5: done, done twice, lost, refused and yet done, not answered. */
const treacherous: WriteKind = {
  name: 'beat',
  write: async (number) => {
    if (number === 4) throw new Invalid('no');
    if (number === 5) throw new Unavailable('nobody answers');
  },
  find: async () =>
    new Map([
      [1, 1],
      [2, 2],
      [4, 1],
      [99, 1],
    ]),
};

test('what is lost, doubled or invented is found, and what nobody answered is repeated', async () => {
  const history = new History('F0', 'nothing', 7);
  const repeated: number[] = [];
  const kind = {
    ...treacherous,
    write: async (number: number) => {
      repeated.push(number);
      await treacherous.write(number);
    },
  };
  const workload = new Workload(history, () => [kind]);
  for (let i = 0; i < 5; i += 1) await workload.once();
  const found = await workload.find();
  expect(found).toMatchObject({
    tried: 5,
    acknowledged: 3,
    missing: ['beat 3'],
    twice: ['beat 2 (2 times)'],
    phantoms: ['beat 4', 'beat 99'],
  });
  expect(workload.unexpected().map(({ number }) => number)).toEqual([4]);
  await expect(workload.repeatUnknown()).rejects.toThrow(Unavailable);
  expect(repeated.slice(5)).toEqual([5]);
  expect(countsLine(history, found, 1.25)).toBe(
    'F0 nothing: tried 5, acknowledged 3, found 4, lost 1, doubled 1, recovered in 1.3 s (seed 7)',
  );
});
