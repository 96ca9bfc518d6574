import { createRandom } from '@millrace/random';
import type { Table } from '@millrace/tabular';

export interface TripsOptions {
  readonly rows: number;
  readonly seed: number;
  /** Name of the text column; default `city`. */
  readonly cityColumn?: string;
  readonly cities?: readonly string[];
}

/** Made-up trips whose delay (`minutes`) and lateness (`late`) depend on the features. */
export const trips = ({
  rows,
  seed,
  cityColumn = 'city',
  cities = ['Bern', 'Graz', 'Oslo'],
}: TripsOptions): Table => {
  const random = createRandom(seed);
  const at = <T>(make: () => T): T[] => Array.from({ length: rows }, make);
  const distance = at(() => Math.round(10 + 90 * random.uniform()));
  const city = at(() => cities[random.integer(cities.length)] ?? '');
  const rain = at(() => random.uniform() < 0.3);
  const minutes = distance.map(
    (km, row) => km / 2 + (rain[row] ? 15 : 0) + (city[row] === cities[0] ? 8 : 0) + 6 * random.uniform(),
  );
  return {
    rowCount: rows,
    columns: [
      { name: 'distance', type: 'integer', values: distance },
      { name: cityColumn, type: 'string', values: city },
      { name: 'rain', type: 'boolean', values: rain },
      { name: 'minutes', type: 'number', values: minutes },
      { name: 'late', type: 'string', values: minutes.map((value) => (value > 45 ? 'yes' : 'no')) },
    ],
  };
};
