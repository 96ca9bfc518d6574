import { createRandom } from '@millrace/random';
import type { Table } from '@millrace/tabular';

/** A made-up dataset with every column type, missing values, and targets that depend on the features. */
export const people = (rows: number, seed = 1): Table => {
  const random = createRandom(seed).derive('people');
  const at = <T>(make: () => T): T[] => Array.from({ length: rows }, make);
  const age = at(() => Math.round(20 + 50 * random.uniform()));
  const city = at(() => ['Bern', 'Graz', 'Lyon', 'Oslo'][Math.floor(random.uniform() * 4)] ?? 'Bern');
  const member = at(() => random.uniform() < 0.5);
  const joined = at(() =>
    Date.UTC(2020, Math.floor(random.uniform() * 24), 1 + Math.floor(random.uniform() * 28)),
  );
  const score = at(() => (random.uniform() < 0.1 ? null : random.uniform()));
  const income = age.map(
    (years, row) =>
      years * 100 + (city[row] === 'Oslo' ? 900 : 0) + (score[row] ?? 0.5) * 500 + random.uniform(),
  );
  const level = income.map((value) => (value < 4000 ? 'low' : value < 6000 ? 'middle' : 'top'));
  return {
    rowCount: rows,
    columns: [
      { name: 'age', type: 'integer', values: age },
      { name: 'city', type: 'string', values: city },
      { name: 'member', type: 'boolean', values: member },
      { name: 'joined', type: 'timestamp', values: joined },
      { name: 'score', type: 'number', values: score },
      { name: 'income', type: 'number', values: income },
      { name: 'level', type: 'string', values: level },
      { name: 'wealthy', type: 'boolean', values: income.map((value) => value > 5000) },
    ],
  };
};
