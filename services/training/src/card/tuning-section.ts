import {
  type AxisValue,
  badge,
  type CardSection,
  code,
  facts,
  formatNumber,
  note,
  parallelCoordinates,
  subheading,
  table,
} from '@millrace/cards';

export interface TrialFacts {
  /** From 1. */
  readonly number: number;
  readonly params: Readonly<Record<string, unknown>>;
  /** The objective on validation; absent in a trial that failed or was given up. */
  readonly value?: number;
  readonly status: 'finished' | 'failed';
  readonly error?: string;
}

/** A search over parameters, of whichever runtime. */
export interface SearchFacts {
  readonly algorithm: string;
  /** `tuning.parameters` of the recipe. */
  readonly space: Readonly<Record<string, unknown>>;
  readonly trials: readonly TrialFacts[];
  readonly best: { readonly number: number; readonly params: Readonly<Record<string, unknown>> };
  readonly stoppedEarly: boolean;
}

interface Objective {
  readonly metric: string;
  readonly greaterIsBetter: boolean;
}

const shownTrials = 10;
/** Lines that can be told apart, and axes that fit. */
const drawnTrials = 200;
const drawnAxes = 9;

/** What was tried, what came of it, and the best of it. */
export const tuningSection = (search: SearchFacts, objective: Objective): CardSection => {
  const { algorithm, space, trials, best, stoppedEarly } = search;
  const ranked = rankTrials(trials, objective);
  const failed = trials.filter(({ status }) => status === 'failed');
  return {
    title: 'Tuning',
    content: [
      facts([
        ['Algorithm', algorithm],
        [
          'Trials',
          `${formatNumber(trials.length)}${failed.length === 0 ? '' : `, ${formatNumber(failed.length)} failed`}`,
        ],
        ...(stoppedEarly ? ([['Ended', 'early']] as const) : []),
      ]),
      ...(ranked.length < 2 ? [] : [trialsPlot(space, ranked, best.number, objective)]),
      subheading(`Best parameters (trial ${best.number})`),
      parameterTable(best.params),
      subheading(`Top ${Math.min(shownTrials, ranked.length)} trials`),
      trialTable(ranked, best.number, objective),
      ...(failed.length === 0 ? [] : [subheading('Failed trials'), failedTable(failed)]),
      subheading('Search space'),
      spaceTable(space),
    ],
  };
};

/** Finished trials, best first; the earlier one of equal ones. */
const rankTrials = (trials: readonly TrialFacts[], { greaterIsBetter }: Objective): readonly TrialFacts[] => {
  const sign = greaterIsBetter ? -1 : 1;
  return trials
    .filter(({ value }) => value !== undefined && Number.isFinite(value))
    .toSorted((a, b) => sign * ((a.value ?? 0) - (b.value ?? 0)) || a.number - b.number);
};

const textOf = (value: unknown): string =>
  typeof value === 'number'
    ? formatNumber(value)
    : typeof value === 'string'
      ? value
      : (JSON.stringify(value) ?? String(value));

const trialsPlot = (
  space: SearchFacts['space'],
  ranked: readonly TrialFacts[],
  best: number,
  { metric }: Objective,
) => {
  const names = Object.keys(space).slice(0, drawnAxes);
  const drawn = ranked.slice(0, drawnTrials);
  return parallelCoordinates({
    title: `Trials: parameters and ${metric} (best in orange, better ones stronger)`,
    axes: [...names.map((name) => ({ name, log: isLogarithmic(space[name]) })), { name: metric }],
    lines: drawn.map(({ number, params, value }, place) => ({
      name: `trial ${number}: ${formatNumber(value)}`,
      values: [...names.map((name) => axisValue(params[name])), value],
      rank: drawn.length === 1 ? 1 : 1 - place / (drawn.length - 1),
      best: number === best,
    })),
  });
};

const axisValue = (value: unknown): AxisValue => {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'number' ? value : textOf(value);
};

/** Whether the recipe draws the parameter on a logarithmic scale. */
const isLogarithmic = (definition: unknown): boolean => {
  const distribution = (definition as { distribution?: unknown } | null)?.distribution;
  return typeof distribution === 'string' && /^q?log/.test(distribution);
};

const parameterTable = (params: Readonly<Record<string, unknown>>) =>
  table({
    columns: [{ title: 'Parameter' }, { title: 'Value' }],
    rows: Object.entries(params).map(([name, value]) => [code(name), code(textOf(value))]),
  });

const trialTable = (ranked: readonly TrialFacts[], best: number, { metric }: Objective) => {
  const shown = ranked.slice(0, shownTrials);
  const names = [...new Set(shown.flatMap(({ params }) => Object.keys(params)))];
  return table({
    columns: [
      { title: 'Trial', numeric: true },
      { title: metric, numeric: true },
      ...names.map((title) => ({ title, numeric: true })),
    ],
    rows: shown.map(({ number, value, params }) => [
      formatNumber(number),
      formatNumber(value),
      ...names.map((name) => (params[name] === undefined ? '–' : textOf(params[name]))),
    ]),
    strong: new Set([...shown.keys()].filter((row) => shown[row]?.number === best)),
  });
};

const failedTable = (failed: readonly TrialFacts[]) =>
  table({
    columns: [{ title: 'Trial', numeric: true }, { title: '' }, { title: 'Error' }],
    rows: failed
      .slice(0, shownTrials)
      .map(({ number, error = '' }) => [formatNumber(number), badge('failed', 'bad'), error]),
  });

const spaceTable = (space: SearchFacts['space']) =>
  Object.keys(space).length === 0
    ? note('The recipe names none.')
    : table({
        columns: [{ title: 'Parameter' }, { title: 'Values or distribution' }],
        rows: Object.entries(space).map(([name, definition]) => [code(name), code(textOf(definition))]),
      });
