/** What a gate judges: the figure, or the worse end of its confidence interval. */
export type JudgedOn = 'value' | 'ci_bound';

/** Name of the slice that does worst, whichever it is. */
export const worstSlice = 'worst';

/** A bound on a metric of the test split, or of a slice of it. Bounds are inclusive. */
export interface BoundGate {
  readonly kind: 'bound';
  /** Where it stands in the recipe, for messages. */
  readonly path: string;
  readonly metric: string;
  readonly greaterIsBetter: boolean | undefined;
  readonly bound: 'min' | 'max';
  readonly limit: number;
  readonly on: JudgedOn;
  /** Empty: all rows. `worst`: the slice with the worst value. */
  readonly slice: string;
}

/** A bound on the change against the model that serves now, on the same rows. */
export interface ChampionGate {
  readonly kind: 'champion';
  readonly path: string;
  readonly metric: string;
  readonly greaterIsBetter: boolean;
  /** How much worse the model may be at most, or how much better it must be at least. In the metric's unit. */
  readonly rule: 'max_regression' | 'min_improvement';
  readonly limit: number;
  readonly on: JudgedOn;
}

export type Gate = BoundGate | ChampionGate;

/** One sentence that says what the gate demands. */
export const describeGate = (gate: Gate): string => {
  if (gate.kind === 'champion') {
    const demand = gate.rule === 'max_regression' ? 'at most' : 'at least';
    const change = gate.rule === 'max_regression' ? 'worse' : 'better';
    const surely = gate.on === 'ci_bound' ? ' (worse end of the paired interval)' : '';
    return `${gate.metric} ${demand} ${gate.limit} ${change} than the champion${surely}`;
  }
  const end = gate.bound === 'min' ? 'lower' : 'upper';
  const subject = gate.on === 'ci_bound' ? `${end} bound of ${gate.metric}` : gate.metric;
  return `${subject} ${gate.bound === 'min' ? '>=' : '<='} ${gate.limit}${sliceText(gate.slice)}`;
};

const sliceText = (slice: string): string => {
  if (slice === '') return '';
  return slice === worstSlice ? ' on the worst slice' : ` on slice ${slice}`;
};
