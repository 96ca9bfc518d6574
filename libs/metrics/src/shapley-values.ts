import { createRandom, defaultSeed } from '@millrace/random';

/** A row of which some players' values were replaced by those of another row. */
export interface Coalition {
  /** The explained row. */
  readonly row: number;
  /** The row that stands for "unknown". */
  readonly background: number;
  /** Whether each player's values are the explained row's. */
  readonly known: readonly boolean[];
}

export interface ShapleyOptions {
  /** Features, or groups of features that are told or withheld together. */
  readonly players: number;
  /** Rows to explain, 0 … rows − 1. */
  readonly rows: number;
  /** Rows that backgrounds are drawn from, 0 … backgrounds − 1. */
  readonly backgrounds: number;
  /** Orders of the players for each row, each taken forwards and backwards; default 2. */
  readonly orders?: number;
  readonly seed?: number;
  /** The model's output on each coalition. */
  readonly predict: (coalitions: readonly Coalition[]) => Promise<readonly number[]>;
}

/**
 * Shapley values by sampled orders with antithetic pairs (Štrumbelj and Kononenko, Knowledge and Information Systems 41,
 * 2014; Mitchell et al., JMLR 23, 2022): `values[row][player]`. They add up to the output on the row minus its mean over the
 * backgrounds that were drawn for it. Deterministic for a seed.
 */
export const shapleyValues = async (options: ShapleyOptions): Promise<readonly (readonly number[])[]> => {
  const { players, rows, backgrounds, orders = 2, seed = defaultSeed, predict } = options;
  const random = createRandom(seed).derive('shapley');
  const walks = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: orders }, () => {
      const order = Array.from(random.permutation(players));
      const background = random.integer(backgrounds);
      return [order, order.toReversed()].map((one) => ({ row, background, order: one }));
    }).flat(),
  ).flat();
  const outputs = await predict(walks.flatMap(coalitionsOf));
  const values = Array.from({ length: rows }, () => new Array<number>(players).fill(0));
  for (const [walk, { row, order }] of walks.entries()) {
    const start = walk * (players + 1);
    for (const [position, player] of order.entries()) {
      const gain = outputs[start + position + 1]! - outputs[start + position]!;
      values[row]![player]! += gain / (2 * orders);
    }
  }
  return values;
};

interface Walk {
  readonly row: number;
  readonly background: number;
  readonly order: readonly number[];
}

/** From nothing known to everything known, one player at a time. */
const coalitionsOf = ({ row, background, order }: Walk): Coalition[] => {
  const places = new Map(order.map((player, position) => [player, position]));
  return Array.from({ length: order.length + 1 }, (_, size) => ({
    row,
    background,
    known: order.map((__, player) => (places.get(player) ?? 0) < size),
  }));
};
