import { describe, expect, it } from 'vitest';
import { type Coalition, shapleyValues } from '../src/index.ts';

const rows = [
  [1, 2, 3],
  [4, -1, 0],
];
const backgrounds = [
  [0, 0, 0],
  [1, 1, 1],
];

/** What the model sees of a coalition. */
const inputOf = ({ row, background, known }: Coalition): number[] =>
  known.map((taken, player) => (taken ? rows[row]![player]! : backgrounds[background]![player]!));

const explain = (model: (input: readonly number[]) => number, orders?: number, seed?: number) =>
  shapleyValues({
    ...{ players: 3, rows: rows.length, backgrounds: 1 },
    ...(orders === undefined ? {} : { orders }),
    ...(seed === undefined ? {} : { seed }),
    predict: async (coalitions) => coalitions.map((coalition) => model(inputOf(coalition))),
  });

describe('Shapley values', () => {
  it('of a linear model are weight times distance from the background', async () => {
    const values = await explain(([a = 0, b = 0, c = 0]) => 2 * a - 3 * b + 0 * c + 7);
    expect(values).toEqual([
      [2, -6, 0],
      [8, 3, 0],
    ]);
  });

  it('add up to the output minus that of the background, also where features work together', async () => {
    const model = ([a = 0, b = 0, c = 0]: readonly number[]) => a * b + Math.max(a, c);
    for (const [row, values] of (await explain(model, 3)).entries()) {
      const sum = values.reduce((total, value) => total + value, 0);
      expect(sum).toBeCloseTo(model(rows[row]!) - model(backgrounds[0]!), 12);
    }
  });

  it('share an interaction of two evenly, as the exact ones do', async () => {
    // Every order and its reverse gives each of the two one half: 1 · 2 / 2 and 4 · −1 / 2.
    expect(await explain(([a = 0, b = 0]) => a * b, 1)).toEqual([
      [1, 1, 0],
      [-2, -2, 0],
    ]);
  });

  it('are the same for the same seed', async () => {
    const model = ([a = 0, b = 0, c = 0]: readonly number[]) => a * b * c;
    expect(await explain(model, 1, 5)).toEqual(await explain(model, 1, 5));
  });
});
