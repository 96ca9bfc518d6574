import { FailedPrecondition, Invalid } from '@millrace/errors';
import {
  createSearch,
  type EarlyStop,
  type Estimator,
  estimatorNamed,
  parseSearchSpace,
  resolveParams,
  type SearchAlgorithm,
  type SearchSpace,
  searchAlgorithms,
  type Task,
} from '@millrace/modeling';

type Section = Readonly<Record<string, unknown>>;

export type ChosenEstimator =
  | { readonly kind: 'builtin'; readonly estimator: Estimator }
  /** Exported by `steps/train.ts`. */
  | { readonly kind: 'typescript'; readonly method: string };

export interface Tuning {
  readonly space: SearchSpace;
  readonly algorithm: SearchAlgorithm;
  readonly maxTrials: number;
  /** Trials at the same time. */
  readonly parallelism: number;
  readonly sampleFraction: number;
  readonly earlyStop?: EarlyStop;
  /** Whether trials that are worse than the median of the others are given up. */
  readonly medianStop: boolean;
}

/** The train section of a recipe, checked. */
export interface TrainPlan {
  readonly estimator: ChosenEstimator;
  /** As given; a built-in estimator's defaults are filled in by `paramsFor`. */
  readonly params: Section;
  readonly tuning?: Tuning;
}

const defaultEstimator = 'ydf/gradient_boosted_trees';
const path = 'steps.train';
/** What a grid may have without `max_trials`. */
const mostGridTrials = 1000;

/** Reads the section. Throws `Invalid` naming the key, `FailedPrecondition` for what needs Python. */
export const trainPlan = (config: Section, task: Task): TrainPlan => {
  const estimator = chosenEstimator(config, task);
  const params = sectionOf(config.estimator_params, `${path}.estimator_params`);
  const tuning = sectionOf(config.tuning, `${path}.tuning`);
  const plan = { estimator, params, ...(tuning.enabled === true ? { tuning: tuningOf(tuning) } : {}) };
  paramsFor(plan, plan.tuning === undefined ? {} : anySetting(plan.tuning));
  return plan;
};

const chosenEstimator = (config: Section, task: Task): ChosenEstimator => {
  const method = config.estimator_method;
  const using = config.using ?? (typeof method === 'string' ? 'custom' : defaultEstimator);
  if (using === 'automl/flaml') {
    throw new FailedPrecondition('automl/flaml needs the Python runtime', {
      hint: `Use a built-in estimator such as ${defaultEstimator} with tuning.`,
    });
  }
  if (using !== 'custom')
    return { kind: 'builtin', estimator: estimatorNamed(String(using), task, `${path}.using`) };
  if (typeof method !== 'string')
    throw Invalid.field(`${path}.estimator_method`, 'is missing: using is custom');
  return { kind: 'typescript', method };
};

const tuningOf = (tuning: Section): Tuning => {
  const algorithm = tuning.algorithm ?? 'random';
  if (!searchAlgorithms.includes(algorithm as SearchAlgorithm)) {
    throw Invalid.field(`${path}.tuning.algorithm`, `must be one of ${searchAlgorithms.join(', ')}`);
  }
  const stop =
    tuning.early_stop === undefined || tuning.early_stop === null
      ? undefined
      : sectionOf(tuning.early_stop, `${path}.tuning.early_stop`);
  return {
    space: parseSearchSpace(
      sectionOf(tuning.parameters, `${path}.tuning.parameters`),
      `${path}.tuning.parameters`,
    ),
    algorithm: algorithm as SearchAlgorithm,
    maxTrials: wholeNumber(
      tuning.max_trials ?? (algorithm === 'grid' ? mostGridTrials : undefined),
      'max_trials',
    ),
    parallelism: wholeNumber(tuning.parallelism ?? 1, 'parallelism'),
    sampleFraction: fraction(tuning.sample_fraction ?? 1),
    ...(typeof stop?.patience === 'number'
      ? { earlyStop: { patience: stop.patience, minDelta: Number(stop.min_delta ?? 0) } }
      : {}),
    medianStop: stop?.median === true,
  };
};

/** All parameters of a fit: the fixed ones, those of a trial on top, and a built-in estimator's defaults. */
export const paramsFor = (
  { estimator, params }: Pick<TrainPlan, 'estimator' | 'params'>,
  searched: Section,
): Section => {
  if (estimator.kind === 'typescript') return { ...params, ...searched };
  const { parameters } = estimator.estimator;
  const fixed = resolveParams(parameters, params, `${path}.estimator_params`);
  const tried = resolveParams(parameters, searched, `${path}.tuning.parameters`);
  return { ...fixed, ...Object.fromEntries(Object.keys(searched).map((name) => [name, tried[name]])) };
};

/** The first setting that the search would try, to find a parameter that the estimator does not take. */
const anySetting = ({ space, algorithm, maxTrials }: Tuning): Section =>
  createSearch({ space, algorithm, maxTrials, seed: 0 }).suggest(1)[0]?.params ?? {};

const sectionOf = (value: unknown, at: string): Section => {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw Invalid.field(at, 'must be a mapping');
  return value as Section;
};

const wholeNumber = (value: unknown, key: string): number => {
  if (Number.isInteger(value) && (value as number) >= 1) return value as number;
  throw Invalid.field(
    `${path}.tuning.${key}`,
    value === undefined ? 'is missing' : 'must be a whole number from 1',
  );
};

const fraction = (value: unknown): number => {
  if (typeof value === 'number' && value > 0 && value <= 1) return value;
  throw Invalid.field(`${path}.tuning.sample_fraction`, 'must be above 0 and at most 1');
};
