import { activeContent, hostileTexts, nestingFaults, structureOf } from '@millrace/cards/testing';
import { StepCommand } from '@millrace/contracts/step';
import type { OnnxParity } from '@millrace/modeling';
import type { Comparison } from '@millrace/tabular';
import { describe, expect, it } from 'vitest';
import { describeTransform } from '../src/card/describe-transform.ts';
import { type TrainFacts, trainCard } from '../src/card/train-card.ts';
import { transformCard } from '../src/card/transform-card.ts';

const commandOf = (text: string, step: string): StepCommand =>
  StepCommand.fromPartial({
    ...{ pipelineRunId: text, step, attempt: 1 },
    project: { project: text },
    recipe: { kind: text },
  });

const resultOf = (text: string) => ({
  outputs: [{ name: text, kind: 'model', digest: text }],
  warnings: [text],
});

const comparisonOf = (name: string): Comparison => ({
  names: ['actual', 'predicted'],
  rows: [3, 3],
  columns: [
    {
      ...{ name, type: 'number' },
      parts: [0, 1].map(() => ({
        count: 3,
        missing: 0,
        min: 0,
        median: 1,
        max: 2,
        mean: 1,
        std: 1,
        zeros: 1,
      })),
      histogram: {
        edges: [0, 1, 2],
        counts: [
          [1, 2],
          [2, 1],
        ],
      },
    },
  ],
});

const rankedOf = (text: string) => {
  const rows = {
    columns: ['error', text],
    rows: [
      [2, text],
      [1, null],
    ],
  };
  return { worst: rows, best: rows, comparison: comparisonOf(text) };
};

const factsOf = (text: string): TrainFacts => ({
  ...{ runId: text, estimator: text, description: text, params: { [text]: text, depth: 3 } },
  objective: { metric: 'rmse', greaterIsBetter: false },
  customMetrics: [text],
  metrics: { training: { rmse: 1.2345678, [text]: 2 }, validation: { rmse: 2.5, [text]: 3 } },
  rows: { training: 300, validation: 100 },
  leaderboard: [
    { id: 'r3', name: text, estimator: text, value: 2.5, startedAt: '2026-01-03T00:00:00.000Z' },
    { id: 'r1', name: 'first', estimator: 'e', value: 1.5, startedAt: '2026-01-01T00:00:00.000Z' },
    { id: 'r2', name: 'second', estimator: 'e', value: 2, startedAt: '2026-01-02T00:00:00.000Z' },
    { id: 'r0', name: 'other metric', estimator: 'e', startedAt: '2026-01-01T00:00:00.000Z' },
  ],
  search: {
    algorithm: text,
    space: { [text]: { values: [text, 'b'] }, alpha: { distribution: 'loguniform', low: -1, high: 1 } },
    trials: [
      { number: 1, params: { [text]: text, alpha: 1 }, value: 3, status: 'finished' },
      { number: 2, params: { [text]: 'b', alpha: 2 }, value: 2.5, status: 'finished' },
      { number: 3, params: { [text]: 'b', alpha: 3 }, status: 'failed', error: text },
    ],
    best: { number: 2, params: { [text]: 'b', alpha: 2 } },
    stoppedEarly: true,
  },
  curves: [
    {
      name: text,
      points: [
        [1, 3],
        [2, 2],
      ],
    },
  ],
  ranked: { training: rankedOf(text), validation: rankedOf(text) },
  signature: {
    inputs: [{ name: text, type: 'number', nullable: true }],
    outputs: [{ name: text, type: 'number' }],
  },
  environment: { runtimes: [['Node', text]], lockDigest: text, packages: { [text]: text } },
  onnx: {
    parity: { added: false, reason: text, rows: 120, tolerance: 1e-4, worst_difference: 0.25 },
    serves: false,
  },
});

const cards = {
  transform: (text: string) =>
    transformCard(
      commandOf(text, 'transform'),
      {
        ...{ using: text, description: text, rows: 3 },
        inputSchema: [{ name: text, type: 'string' }],
        outputSchema: [{ name: text, type: 'number' }],
        transformed: {
          profile: comparisonOf(text),
          preview: { columns: [{ name: text }], rows: [[text]] },
        },
      },
      resultOf(text),
    ),
  train: (text: string) => trainCard(commandOf(text, 'train'), factsOf(text), resultOf(text)),
};

describe.each(Object.entries(cards))('the card of %s', (_, card) => {
  it.each(hostileTexts)('shows %j as text', (text) => {
    const page = card(text);
    expect(structureOf(page)).toEqual(structureOf(card('a'.repeat(text.length))));
    expect(activeContent(page)).toEqual([]);
    expect(nestingFaults(page)).toEqual([]);
  });

  it('is the same for the same input', () => {
    expect(card('flights')).toBe(card('flights'));
  });
});

describe('the card of train', () => {
  const page = cards.train('own');
  const rowsAfter = (heading: string): string[][] => {
    const [, rest = ''] = page.split(heading);
    const [body = ''] = /<tbody>.*?<\/tbody>/s.exec(rest) ?? [];
    return [...body.matchAll(/<tr[^>]*>(.*?)<\/tr>/gs)].map(([, row = '']) =>
      [...row.matchAll(/<td[^>]*>(.*?)<\/td>/gs)].map(([, cell = '']) => cell.replace(/<[^>]+>/g, '')),
    );
  };

  it('has every part', () => {
    for (const part of [
      'Performance',
      'Leaderboard',
      'Tuning',
      'Learning curves',
      'Worst and best predictions',
      'Profile of the predictions',
      'Model',
      'Signature',
      'ONNX form',
      'Environment',
      'Warnings',
      'Lineage and run',
    ])
      expect(page).toContain(`<h2>${part}</h2>`);
  });

  it('begins with the primary metric, then the project’s own', () => {
    expect(rowsAfter('<h2>Performance</h2>')).toEqual([
      ['rmse (primary)', '1.23457', '2.5'],
      ['own', '2', '3'],
    ]);
  });

  it('ranks the runs of the experiment by the direction of the metric', () => {
    expect(rowsAfter('<h2>Leaderboard</h2>').map(([place, value, , , run]) => [place, value, run])).toEqual([
      ['Latest', '2.5', 'own (this run)'],
      ['Best', '1.5', 'first'],
      ['2nd best', '2', 'second'],
    ]);
    expect(page).toContain('This run is number 3 of 3 of the experiment.');
  });

  it('tells how far the ONNX form is from the model, and which of them predicts', () => {
    const factsShown = (parity: OnnxParity, serves: boolean): Record<string, string> => {
      const shown = { ...factsOf('own'), onnx: { parity, serves } };
      const [, rest = ''] = trainCard(commandOf('own', 'train'), shown, resultOf('own')).split(
        'ONNX form</h2>',
      );
      const pairs = rest.split('</dl>')[0]?.matchAll(/<dt>(.*?)<\/dt><dd>(.*?)<\/dd>/gs) ?? [];
      return Object.fromEntries([...pairs].map(([, name, value]) => [name, value]));
    };
    const compared = { rows: 120, tolerance: 1e-4 };
    expect(factsShown({ ...compared, added: true, worst_difference: 2.5e-7 }, true)).toEqual({
      'In the package': 'yes',
      'Held-out rows compared': '120',
      'Worst difference': '2.500 × 10⁻⁷',
      Tolerance: '0.0001',
      'Predictions come from': 'ONNX Runtime, without Python',
    });
    const far = { ...compared, added: false, worst_difference: 0.25, reason: 'its predictions differ' };
    expect(factsShown(far, false)).toMatchObject({
      'In the package': 'no',
      'Why not': 'its predictions differ',
      'Worst difference': '0.25',
      'Predictions come from': 'the original, in a Python worker',
    });
  });

  it('ranks trials and tells why one failed', () => {
    expect(rowsAfter('Top 2 trials').map(([trial, value]) => [trial, value])).toEqual([
      ['2', '2.5'],
      ['1', '3'],
    ]);
    expect(rowsAfter('Failed trials')).toEqual([['3', 'failed', 'own']]);
    expect(page).toContain('(logarithmic)');
  });

  it('draws no part that the step has nothing for', () => {
    const { search: _, ranked: __, ...facts } = factsOf('own');
    const bare = trainCard(
      commandOf('own', 'train'),
      { ...facts, curves: [{ name: 'loss', points: [[1, 2]] }], leaderboard: [], params: {} },
      { outputs: [] },
    );
    for (const part of ['Tuning', 'Learning curves', 'Worst and best', 'Leaderboard', 'Warnings'])
      expect(bare).not.toContain(`<h2>${part}`);
    expect(bare).toContain('Succeeded');
  });
});

describe('a transform', () => {
  it('is described by what it does to each column', () => {
    expect(
      describeTransform({
        kind: 'builtin',
        state: {
          format: 'millrace.transform/v1',
          inputs: [],
          dropped: [],
          steps: [
            { kind: 'numeric', column: 'x', fill: 1.5, center: 2, scale: 3, indicator: true },
            { kind: 'one_hot', column: 'c', fill: null, categories: ['a', 'b'], rare: ['z'] },
            { kind: 'date', column: 't', parts: ['month'], cyclical: true, fill: 0 },
            { kind: 'keep', column: 'k', fill: null },
          ],
        },
      }),
    ).toBe(
      [
        'x: number, missing → 1.5, (x − 2) / 3, with an indicator',
        'c: one-hot of a, b, 1 rare together',
        't: time as month, cyclical',
        'k: as it is',
      ].join('\n'),
    );
  });
});
