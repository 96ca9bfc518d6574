import { MillraceError } from '@millrace/errors';
import { metricTable } from '@millrace/metrics/table';
import { parseExpression } from '@millrace/tabular/expression';
import type { Problem } from '../document/config.ts';
import type { Path } from '../document/yaml-document.ts';
import type { Task } from '../types.ts';
import { duplicates, type Fields, idle, type Rule, section, unknownName, wrong } from './rule.ts';

/** Metrics that can rank or gate: built-in ones with a direction, and the recipe's own. */
const usableMetrics = (content: Fields, task: Task): readonly string[] => [
  ...metricTable[task].filter((metric) => metric.greaterIsBetter !== undefined).map((metric) => metric.name),
  ...(content.custom_metrics ?? []).map((metric: Fields) => String(metric.name)),
];

export const taskRule: Rule = function* ({ content, task }) {
  if (task === 'regression' && content.positive_class !== undefined) {
    yield wrong(['positive_class'], 'is for classification only');
  }
  yield* duplicates(content.custom_metrics ?? [], ['custom_metrics']);
  const primary = content.primary_metric;
  const known = usableMetrics(content, task);
  if (primary !== undefined && !known.includes(primary)) {
    yield wrong(['primary_metric'], unknownName(`metric for ${task}`, primary, known));
  }
};

/** Keys of a transform that only `auto` looks at. */
const autoKeys = ['select', 'drop', 'numeric', 'categorical', 'date', 'columns'];

export const transformRule: Rule = function* ({ content }) {
  const transform = section(content, 'transform');
  const { using, transformer_method: method } = transform;
  const at = (key: string) => ['steps', 'transform', key];
  const hasMethod = method !== undefined && method !== null;
  if (using !== undefined && using !== 'custom' && hasMethod) {
    yield idle(at('transformer_method'), `has no effect: using is ${using}`);
  }
  const isAuto = using === 'auto' || (using === undefined && !hasMethod);
  for (const key of autoKeys) {
    if (transform[key] !== undefined && !isAuto) yield wrong(at(key), 'has no effect unless using is auto');
  }
};

export const trainRule: Rule = function* ({ content, task, runtime }) {
  const train = section(content, 'train');
  const at = (key: string) => ['steps', 'train', key];
  const using: string | undefined = train.using;
  const isCustom = using === 'custom' || (using === undefined && runtime === 'python');
  if (isCustom && train.estimator_method === undefined) {
    const otherwise = runtime === 'python' ? '; automl/flaml takes none' : '';
    yield wrong(at('estimator_method'), `is missing: using is custom${otherwise}`);
  }
  if (using !== undefined && using !== 'custom' && train.estimator_method !== undefined) {
    yield idle(at('estimator_method'), `has no effect: using is ${using}`);
  }
  if (using === 'linear/logistic' && task === 'regression') {
    yield wrong(at('using'), 'linear/logistic is for classification; linear/ridge is the one for regression');
  }
  if (using === 'linear/ridge' && task !== 'regression') {
    yield wrong(at('using'), 'linear/ridge is for regression; linear/logistic is the one for classification');
  }
  if (train.calibrate_proba !== undefined && task === 'regression') {
    yield wrong(at('calibrate_proba'), 'is for classification only');
  }
};

export const tuningRule: Rule = function* ({ content, runtime }) {
  const train = section(content, 'train');
  const tuning: Fields | null | undefined = train.tuning;
  const at = (...path: (string | number)[]) => ['steps', 'train', 'tuning', ...path];
  if (tuning?.enabled !== true) return;
  if (train.using === 'automl/flaml') yield idle(at(), 'has no effect beside automl/flaml');
  const algorithms = ['grid', 'random', 'tpe'];
  const algorithm = tuning.algorithm ?? 'random';
  const isDotted = runtime === 'python' && algorithm.includes('.');
  if (!isDotted && !algorithms.includes(algorithm)) {
    yield wrong(at('algorithm'), unknownName('algorithm', algorithm, algorithms));
  }
  if (tuning.parameters === undefined) yield wrong(at('parameters'), 'is missing');
  if (tuning.max_trials === undefined && algorithm !== 'grid') yield wrong(at('max_trials'), 'is missing');
  for (const [name, parameter] of Object.entries<Fields>(tuning.parameters ?? {})) {
    yield* parameterProblems(parameter, at('parameters', name), algorithm);
  }
};

/** Arguments that each of hyperopt's distributions takes. */
const distributionArguments: Readonly<Record<string, readonly string[]>> = {
  uniform: ['low', 'high'],
  loguniform: ['low', 'high'],
  quniform: ['low', 'high', 'q'],
  qloguniform: ['low', 'high', 'q'],
  uniformint: ['low', 'high'],
  randint: ['upper'],
  normal: ['mu', 'sigma'],
  lognormal: ['mu', 'sigma'],
  qnormal: ['mu', 'sigma', 'q'],
  qlognormal: ['mu', 'sigma', 'q'],
  choice: ['options'],
};

function* parameterProblems(parameter: Fields, path: Path, algorithm: string): Iterable<Problem> {
  const { values, distribution, ...args } = parameter;
  if ((values === undefined) === (distribution === undefined)) {
    yield wrong(path, 'needs either values or a distribution');
    return;
  }
  if (distribution === undefined) {
    for (const key of Object.keys(args)) {
      yield { path: [...path, key], part: 'key', message: 'has no meaning beside values' };
    }
    return;
  }
  if (algorithm === 'grid') yield wrong([...path, 'distribution'], 'a grid needs values');
  const takes = distributionArguments[distribution] ?? [];
  for (const key of takes) {
    if (args[key] === undefined && !isOptional(distribution, key, args)) {
      yield wrong([...path, key], `is missing: ${distribution} takes ${takes.join(', ')}`);
    } else if (key !== 'options' && args[key] !== undefined && typeof args[key] !== 'number') {
      yield wrong([...path, key], 'must be a number');
    }
  }
  if (typeof args.low === 'number' && typeof args.high === 'number' && args.low >= args.high) {
    yield wrong([...path, 'high'], `must be > low (${args.low})`);
  }
  // As in hyperopt, the bounds of a log distribution are those of the logarithm.
  if (String(distribution).includes('log') && Math.exp(args.high) === Number.POSITIVE_INFINITY) {
    yield wrong([...path, 'high'], `exp(${args.high}) is too large: the bound is that of the logarithm`);
  }
  if (distribution === 'randint' && args.upper === undefined && args.high === undefined) {
    yield wrong([...path, 'upper'], 'is missing');
  }
}

/** `randint` takes either an upper bound or low and high. */
const isOptional = (distribution: string, key: string, args: Fields): boolean =>
  distribution === 'randint' && key === 'upper' && args.upper === undefined;

/** Stands for the worst of all slices where a criterion names one. */
const worstSlice = 'worst';

export const evaluateRule: Rule = function* ({ content, task }) {
  const { validation_criteria: criteria, slices } = section(content, 'evaluate');
  const sliceNames: readonly string[] = (slices ?? []).map((slice: Fields | string) =>
    typeof slice === 'string' ? slice : String(slice.name),
  );
  yield* duplicates(
    sliceNames.map((name) => ({ name })),
    ['steps', 'evaluate', 'slices'],
  );
  for (const [index, slice] of (slices ?? []).entries()) {
    const problem = typeof slice?.where === 'string' ? expressionProblem(slice.where) : undefined;
    if (problem !== undefined) yield wrong(['steps', 'evaluate', 'slices', index, 'where'], problem);
  }
  const metrics = usableMetrics(content, task);
  for (const [index, criterion] of (criteria ?? []).entries()) {
    const path = ['steps', 'evaluate', 'validation_criteria', index];
    yield* criterionProblems(criterion, path, metrics);
    yield* sliceProblems(criterion, path, slices ?? []);
  }
};

/** What is wrong with the writing of a condition; its columns are known only with the data. */
const expressionProblem = (where: string): string | undefined => {
  try {
    parseExpression(where, 'where');
    return undefined;
  } catch (thrown) {
    if (thrown instanceof MillraceError) return thrown.violations[0]?.message ?? thrown.message;
    throw thrown;
  }
};

/** The slices of a column are known only with the data; their names begin with the column's. */
function* sliceProblems(
  criterion: Fields,
  path: Path,
  slices: readonly (Fields | string)[],
): Iterable<Problem> {
  const wanted: string | undefined = criterion.slice;
  if (wanted === undefined || (wanted === worstSlice && slices.length > 0)) return;
  const known = slices.some((slice) =>
    typeof slice === 'string' ? wanted.startsWith(`${slice}=`) : slice.name === wanted,
  );
  if (known) return;
  const names = slices.map((slice) => (typeof slice === 'string' ? `${slice}=…` : String(slice.name)));
  yield wrong([...path, 'slice'], unknownName('slice', wanted, names));
}

function* criterionProblems(criterion: Fields, path: Path, metrics: readonly string[]): Iterable<Problem> {
  const has = (key: string) => criterion[key] !== undefined;
  if (!metrics.includes(criterion.metric)) {
    yield wrong([...path, 'metric'], unknownName('metric', criterion.metric, metrics));
  }
  const forms = [has('threshold'), has('min') || has('max'), has('compare')].filter(Boolean).length;
  if (forms !== 1) {
    yield wrong(path, 'needs exactly one of: threshold; min and/or max; compare');
    return;
  }
  if (has('min') && has('max') && criterion.min > criterion.max) {
    yield wrong([...path, 'max'], `must be >= min (${criterion.min})`);
  }
  const bounds = ['max_regression', 'min_improvement'].filter(has);
  const onlyCompared = [...bounds, ...['paired'].filter(has)];
  if (has('compare') && bounds.length !== 1) {
    yield wrong([...path, 'compare'], 'needs exactly one of max_regression and min_improvement');
  }
  if (!has('compare')) {
    for (const key of onlyCompared)
      yield wrong([...path, key], 'has a meaning only beside compare: champion');
  }
}
