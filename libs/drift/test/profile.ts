import type { ColumnProfile } from '@millrace/tabular';
import { CategoricalSketch, NumericSketch, profileOfSketch } from '../src/index.ts';

/** Profiles of whole columns, for tests. */
export const profileNumbers = (name: string, values: readonly (number | null)[]): ColumnProfile => {
  const sketch = new NumericSketch([0, 0], values.length);
  values.forEach((value, i) => {
    sketch.add(value, i);
  });
  return profileOfSketch(name, sketch);
};

export const profileTexts = (name: string, values: readonly (string | null)[]): ColumnProfile => {
  const sketch = new CategoricalSketch([]);
  for (const value of values) sketch.add(value);
  return profileOfSketch(name, sketch);
};
