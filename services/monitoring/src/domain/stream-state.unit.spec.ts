import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderBatches } from './batch-order.ts';
import type { Binding } from './monitor.ts';
import { addSequence, hasSequence, nextSequence, type SequenceRanges } from './sequence-ranges.ts';
import {
  type CutSettings,
  cutRecord,
  isApplied,
  isOverdue,
  newStreamState,
  recordBatch,
  type StreamState,
} from './stream-state.ts';

const binding: Binding = {
  revision: 1,
  model: 'flights',
  modelVersion: 1,
  datasetVersionId: 'flights@1',
  profileDigest: 'sha256:a',
  predictionProfileDigest: '',
  targetColumn: 'delay',
  task: { type: 'regression' },
};
const settings: CutSettings = { windowRecords: 3, windowMaxAgeMs: 1000, binding };

const cutAll = (times: readonly number[], by: CutSettings = settings, from = newStreamState('e')) => {
  const windows: number[] = [];
  let state = from;
  for (const time of times) {
    const cut = cutRecord(state, time, 0, by);
    state = cut.state;
    windows.push(cut.window);
  }
  return { state, windows };
};

describe('windows', () => {
  it('are cut by the number of records', () => {
    const { state, windows } = cutAll([1, 2, 3, 4, 5, 6, 7]);
    expect(windows).toEqual([1, 1, 1, 2, 2, 2, 3]);
    expect(state.sealed.map(({ number, records }) => [number, records])).toEqual([
      [1, 3],
      [2, 3],
    ]);
    expect(state.open).toMatchObject({ number: 3, records: 1 });
  });

  it('are cut by the age of the records themselves', () => {
    expect(cutAll([0, 999, 1000, 1500, 2000]).windows).toEqual([1, 1, 2, 2, 3]);
  });

  it('end when the monitor compares with something else', () => {
    const before = cutAll([0, 1]).state;
    const rebound = { ...settings, binding: { ...binding, revision: 2 } };
    expect(isOverdue(before, 0, settings)).toBe(false);
    expect(isOverdue(before, 0, rebound)).toBe(true);
    expect(cutAll([2], rebound, before)).toMatchObject({ windows: [2], state: { open: { records: 1 } } });
  });

  it('are overdue after their age without records', () => {
    const { state } = cutAll([0]);
    expect(isOverdue(state, 999, settings)).toBe(false);
    expect(isOverdue(state, 1000, settings)).toBe(true);
  });
});

describe('sequence ranges', () => {
  it('hold what was added, in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 })), (numbers) => {
        const ranges = numbers.reduce<SequenceRanges>(addSequence, []);
        const all = new Set(numbers);
        for (let n = 1; n <= 61; n++) expect(hasSequence(ranges, n)).toBe(all.has(n));
        expect(nextSequence(ranges)).toBe(Math.max(0, ...numbers) + 1);
      }),
      { seed: 42 },
    );
  });

  it('stay bounded: the oldest gaps count as given up', () => {
    const odd = Array.from({ length: 200 }, (_, i) => 2 * i + 1);
    const ranges = odd.reduce<SequenceRanges>(addSequence, []);
    expect(ranges.length).toBe(64);
    expect(hasSequence(ranges, 2)).toBe(true);
    expect(hasSequence(ranges, 398)).toBe(false);
  });
});

describe('batches', () => {
  const holds = { known: 100, unknown: 10 };
  const batch = (sequence: number, source = 'a', receivedAt = 0) => ({
    source,
    sequence,
    droppedBefore: 0,
    receivedAt,
  });
  const applied = (...sequences: number[]): StreamState =>
    sequences.reduce((state, sequence) => recordBatch(state, batch(sequence)), newStreamState('e'));

  it('of a source are put in order, each once', () => {
    const order = orderBatches(applied(1), [batch(3), batch(2), batch(1), batch(3)], 0, holds);
    expect(order.ready.map(({ sequence }) => sequence)).toEqual([2, 3]);
    expect(order.duplicates.map(({ sequence }) => sequence).sort()).toEqual([1, 3]);
    expect(order.held).toEqual([]);
  });

  it('wait for a missing one, but not for ever', () => {
    const waiting = [batch(4), batch(1, 'b')];
    expect(orderBatches(applied(1, 2), waiting, 99, holds)).toMatchObject({
      ready: [{ source: 'b' }],
      held: [{ sequence: 4 }],
    });
    expect(orderBatches(applied(1, 2), [batch(4)], 100, holds).ready.length).toBe(1);
  });

  it('of a source that began before the endpoint was monitored wait less', () => {
    expect(orderBatches(applied(1), [batch(7, 'b')], 9, holds).held.length).toBe(1);
    expect(orderBatches(applied(1), [batch(7, 'b')], 10, holds).ready.length).toBe(1);
  });

  it('that come after they were given up are applied at once', () => {
    const state = applied(1, 2, 4);
    expect(orderBatches(state, [batch(3)], 0, holds).ready.length).toBe(1);
    expect(isApplied(recordBatch(state, batch(3)), 'a', 3)).toBe(true);
  });

  it('keep a bounded number of sources', () => {
    let state = newStreamState('e');
    for (let i = 0; i < 300; i++) state = recordBatch(state, batch(1, `source-${i}`));
    expect(Object.keys(state.sources).length).toBe(256);
    expect(isApplied(state, 'source-299', 1)).toBe(true);
    expect(isApplied(state, 'source-0', 1)).toBe(false);
  });
});
