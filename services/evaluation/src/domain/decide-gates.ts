import type { Difference } from '@millrace/metrics';
import { type BoundGate, type ChampionGate, describeGate, type Gate, worstSlice } from './gate.ts';
import type { MetricEstimate, SliceMeasurement } from './measurement.ts';

/** The champion as the gates see it. */
export type ChampionFacts =
  | { readonly kind: 'none' }
  | { readonly kind: 'not_comparable'; readonly reference: string; readonly reason: string }
  | {
      readonly kind: 'compared';
      /** `flights/2` */
      readonly reference: string;
      readonly metrics: Readonly<Record<string, number>>;
      readonly differences: Readonly<Record<string, Difference>>;
    };

/** What the gates judge. */
export interface GateFacts {
  readonly metrics: readonly MetricEstimate[];
  readonly slices: readonly SliceMeasurement[];
  readonly champion: ChampionFacts;
}

export interface GateOutcome {
  readonly gate: Gate;
  readonly description: string;
  /** Name of the slice that was judged; empty for all rows. */
  readonly slice: string;
  /** What was compared with the limit; absent when there was nothing to compare. */
  readonly observed?: number;
  readonly champion?: number;
  readonly passed: boolean;
  /** Why, one sentence. */
  readonly reason: string;
}

export const Verdict = { validated: 'VALIDATED', rejected: 'REJECTED', unknown: 'UNKNOWN' } as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** Judges every gate; a figure that a gate needs and that is not there fails it. */
export const decideGates = (gates: readonly Gate[], facts: GateFacts): readonly GateOutcome[] =>
  gates.map((gate) =>
    gate.kind === 'bound' ? decideBound(gate, facts) : decideChampion(gate, facts.champion),
  );

/** `UNKNOWN` without gates, as in MLflow Recipes. */
export const verdictOf = (outcomes: readonly GateOutcome[]): Verdict => {
  if (outcomes.length === 0) return Verdict.unknown;
  return outcomes.every(({ passed }) => passed) ? Verdict.validated : Verdict.rejected;
};

const decideBound = (gate: BoundGate, facts: GateFacts): GateOutcome => {
  if (gate.slice === '') return judge(gate, '', facts.metrics);
  if (gate.slice === worstSlice) return decideWorst(gate, facts.slices);
  const slice = facts.slices.find(({ name }) => name === gate.slice);
  if (slice === undefined)
    return outcome(gate, gate.slice, false, `no row of the test split is in slice ${gate.slice}`);
  if (isTooSmall(slice)) {
    return outcome(
      gate,
      slice.name,
      true,
      `not judged: ${slice.support} rows, ${slice.minSupport} are needed`,
    );
  }
  return judge(gate, slice.name, slice.metrics);
};

const isTooSmall = ({ support, minSupport }: SliceMeasurement): boolean => support < minSupport;

const decideWorst = (gate: BoundGate, slices: readonly SliceMeasurement[]): GateOutcome => {
  const judged = slices
    .filter((slice) => !isTooSmall(slice))
    .map((slice) => ({ slice, observed: observedOf(gate, slice.metrics) }))
    .filter((entry): entry is { slice: SliceMeasurement; observed: number } => entry.observed !== undefined);
  if (judged.length === 0) {
    return outcome(gate, '', true, 'not judged: no slice has enough rows for the metric');
  }
  const sign = gate.greaterIsBetter ? 1 : -1;
  const worst = judged.reduce((a, b) => (sign * b.observed < sign * a.observed ? b : a));
  return judge(gate, worst.slice.name, worst.slice.metrics);
};

const observedOf = (gate: BoundGate, metrics: readonly MetricEstimate[]): number | undefined => {
  const metric = metrics.find(({ name }) => name === gate.metric);
  if (gate.on === 'value') return metric?.value;
  return gate.bound === 'min' ? metric?.interval?.low : metric?.interval?.high;
};

const judge = (gate: BoundGate, slice: string, metrics: readonly MetricEstimate[]): GateOutcome => {
  const observed = observedOf(gate, metrics);
  if (observed === undefined) {
    const what = gate.on === 'value' ? gate.metric : `the interval of ${gate.metric}`;
    return outcome(gate, slice, false, `${what} is not defined for these rows`);
  }
  const passed = gate.bound === 'min' ? observed >= gate.limit : observed <= gate.limit;
  const relation = observed < gate.limit ? 'below' : observed > gate.limit ? 'above' : 'equal to';
  const where = slice === '' ? '' : ` on ${slice}`;
  return {
    ...outcome(gate, slice, passed, `${short(observed)}${where} is ${relation} ${gate.limit}`),
    observed,
  };
};

const decideChampion = (gate: ChampionGate, champion: ChampionFacts): GateOutcome => {
  if (champion.kind === 'none') return outcome(gate, '', true, 'no champion');
  if (champion.kind === 'not_comparable') {
    return outcome(gate, '', false, `${champion.reference} cannot be compared: ${champion.reason}`);
  }
  const value = champion.metrics[gate.metric];
  const change = improvementOf(gate, champion.differences[gate.metric]);
  if (value === undefined || change === undefined) {
    return outcome(gate, '', false, `${gate.metric} is not defined for both models on these rows`);
  }
  const observed = gate.rule === 'min_improvement' ? change : -change;
  const passed = gate.rule === 'min_improvement' ? observed >= gate.limit : observed <= gate.limit;
  const least = gate.on === 'ci_bound' ? 'at worst ' : '';
  const text = `${least}${short(Math.abs(change))} ${change < 0 ? 'worse' : 'better'} than ${short(value)} of ${champion.reference}`;
  return { ...outcome(gate, '', passed, text), observed, champion: value };
};

/** Positive when the new model is better; with `ci_bound` the least improvement that the interval allows. */
const improvementOf = (gate: ChampionGate, difference: Difference | undefined): number | undefined => {
  if (difference === undefined) return undefined;
  if (gate.on === 'value') return gate.greaterIsBetter ? difference.value : -difference.value;
  if (difference.interval === undefined) return undefined;
  return gate.greaterIsBetter ? difference.interval.low : -difference.interval.high;
};

const outcome = (gate: Gate, slice: string, passed: boolean, reason: string): GateOutcome => ({
  gate,
  description: describeGate(gate),
  slice,
  passed,
  reason,
});

const short = (value: number): string => String(Number(value.toPrecision(6)));
