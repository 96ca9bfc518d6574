import { type FeatureSketch, poissonSurvival } from '@millrace/drift';
import type { ColumnProfile } from '@millrace/tabular';

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

/**
 * Chance that `outside` or more of `n` new rows lie beyond the extreme of `m` baseline rows of the same
 * distribution: the top `outside` of all rows must then all be new ones.
 */
const beyondExtreme = (outside: number, n: number, m: number): number => (n / (n + m)) ** outside;

const rangeFinding = (column: ColumnProfile, sketch: FeatureSketch, level: number): string | undefined => {
  if (sketch.kind !== 'numeric' || column.numeric === undefined) return undefined;
  const { min, max } = column.numeric;
  const outside = sketch.under + sketch.over;
  const chance = Math.min(
    beyondExtreme(sketch.under, sketch.count, column.count),
    beyondExtreme(sketch.over, sketch.count, column.count),
  );
  if (outside === 0 || 2 * chance > level) return undefined;
  return `${outside} values (${percent(outside / sketch.count)}) outside ${min} to ${max}`;
};

const unseenFinding = (column: ColumnProfile, sketch: FeatureSketch, level: number): string | undefined => {
  if (sketch.kind !== 'categorical' || column.categorical === undefined) return undefined;
  const { top, other } = column.categorical;
  // With categories beyond the listed ones it cannot be told whether a value is new.
  if (other > 0 || top.length > sketch.categories.length || sketch.outside === 0) return undefined;
  // Good & Turing: new values are as likely as those seen once; one more allows for the estimate's own error.
  const seenOnce = top.filter(({ count }) => count === 1).length;
  const expected = (sketch.count * (seenOnce + 1)) / column.count;
  if (poissonSurvival(sketch.outside, expected) > level) return undefined;
  const examples = sketch
    .unseen()
    .slice(0, 3)
    .map(({ value }) => JSON.stringify(value));
  return `${sketch.outside} values (${percent(sketch.outside / sketch.count)}) not among the known ones: ${examples.join(', ')}`;
};

/**
 * Defects of the values themselves. A value of the wrong type always counts; values outside the baseline's range
 * or categories count when there are more than chance explains, at `level` per feature.
 */
export const findDefects = (
  name: string,
  column: ColumnProfile,
  sketch: FeatureSketch,
  level: number,
): readonly string[] => {
  const wrongType =
    sketch.invalid === 0 ? undefined : `${sketch.invalid} values of the wrong type (${column.type} expected)`;
  return [wrongType, rangeFinding(column, sketch, level), unseenFinding(column, sketch, level)]
    .filter((finding) => finding !== undefined)
    .map((finding) => `${name}: ${finding}`);
};
