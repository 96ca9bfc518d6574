import { describe, expect, test } from 'vitest';
import { load, minimal, problemsOf } from '../test/project.ts';

describe('a recipe', () => {
  test('needs three lines of settings; the rest has defaults', () => {
    const { recipe, warnings } = load(minimal());
    expect(warnings).toEqual([]);
    expect(recipe).toMatchObject({
      kind: 'regression/v1',
      task: 'regression',
      seed: 42,
      primaryMetric: 'root_mean_squared_error',
      name: 'project',
      modelName: 'project',
    });
    expect(Object.keys(recipe.steps)).toEqual([
      'ingest',
      'split',
      'transform',
      'train',
      'evaluate',
      'register',
    ]);
    expect(recipe.steps.split?.config.split_ratios).toEqual([0.75, 0.125, 0.125]);
    expect(recipe.steps.transform?.config.using).toBe('auto');
    expect(recipe.steps.train?.config.using).toBe('ydf/gradient_boosted_trees');
  });

  test('takes timeouts, retries and cache out of the config of a step', () => {
    const { recipe } = load(minimal('  train:\n    timeout: 90s\n    retries: 0\n    cache: {ttl: 2h}\n'));
    expect(recipe.steps.train).toMatchObject({
      timeoutMs: 90_000,
      retries: 0,
      cache: { enabled: true, ttlMs: 7_200_000 },
    });
    expect(recipe.steps.train?.config).not.toHaveProperty('timeout');
  });

  test('deploys and monitors only when it says so', () => {
    const { recipe } = load(minimal('  deploy:\n  monitor:\n    on_drift: retrain\n'));
    expect(recipe.steps.deploy?.config).toMatchObject({
      endpoint: 'project',
      alias: 'production',
      strategy: 'canary',
      canary_steps: [10, 50],
      promotion: 'manual',
    });
    expect(recipe.steps.monitor?.config).toMatchObject({
      endpoint: 'project',
      on_drift: 'retrain',
      window: { records: 500 },
      drift: { false_alarm_rate: 0.01 },
    });
  });

  test('passes columns on without a transformer when the estimator is custom, as MLflow did', () => {
    const { recipe } = load({
      'recipe.yaml': minimal('  train:\n    using: custom\n    estimator_method: make\n'),
      'steps/train.py': '',
    });
    expect(recipe.steps.transform?.config.using).toBe('none');
  });

  test('derives the task from the positive class', () => {
    const text = minimal('', 'positive_class: 1\n').replace('regression', 'classification');
    expect(load(text).recipe).toMatchObject({ task: 'classification/binary', positiveClass: 1 });
    const many = minimal().replace('regression', 'classification');
    expect(load(many).recipe).toMatchObject({
      task: 'classification/multiclass',
      primaryMetric: 'f1_score_macro',
    });
  });

  test('takes a contract from a file of the project', () => {
    const { recipe } = load({
      'recipe.yaml': minimal('    contract: contracts/a.yaml\n'),
      'contracts/a.yaml': 'columns:\n  y: {type: double}\n',
    });
    expect(recipe.steps.ingest?.config.contract).toEqual({ columns: { y: { type: 'double' } } });
  });
});

/** What is added to a good recipe, and every problem that this makes, with its place. */
const bad: readonly (readonly [string, string, readonly string[]])[] = [
  [
    'an empty file',
    '',
    [
      'recipe.yaml:1:1 recipe: is missing',
      'recipe.yaml:1:1 target_col: is missing',
      'recipe.yaml:1:1 steps: is missing',
    ],
  ],
  ['a list', '- a\n', ['recipe.yaml:1:1: must be a mapping of keys to values']],
  ['a broken quote', 'recipe: "regression\n', ['recipe.yaml:2:1: YAML: Missing closing "quote']],
  ['a key twice', `${minimal()}target_col: z\n`, ['recipe.yaml:7:1: this key stands here twice']],
  [
    'an unknown step',
    minimal('  trian: {}\n'),
    ['recipe.yaml:7:3 steps.trian: unknown step; did you mean "train"?'],
  ],
  [
    'an unknown key',
    minimal('  split:\n    split_ratio: [1, 1, 1]\n'),
    ['recipe.yaml:8:5 steps.split.split_ratio: unknown key; did you mean "split_ratios"?'],
  ],
  [
    'a ratio of zero',
    minimal('  split:\n    split_ratios: [0.8, 0, 0.1]\n'),
    ['recipe.yaml:8:25 steps.split.split_ratios[1]: must be > 0'],
  ],
  [
    'two ratios',
    minimal('  split:\n    split_ratios: [0.8, 0.2]\n'),
    ['recipe.yaml:8:19 steps.split.split_ratios: must have exactly 3 items, not 2'],
  ],
  [
    'a wrong type',
    minimal('', 'seed: often\n'),
    ['recipe.yaml:3:7 seed: must be a whole number, not "often"'],
  ],
  [
    'an unknown estimator',
    minimal('  train:\n    using: ydf/random_forrest\n'),
    [
      'recipe.yaml:8:12 steps.train.using: must be one of ydf/gradient_boosted_trees, ydf/random_forest, linear/ridge, linear/logistic, trees/gradient_boosting, baseline/mean, baseline/majority, custom, automl/flaml, not "ydf/random_forrest"; did you mean "ydf/random_forest"?',
    ],
  ],
  [
    'an unknown kind',
    minimal().replace('regression/v1', 'regression/v2'),
    [
      'recipe.yaml:1:9 recipe: must be one of regression/v1, classification/v1, not "regression/v2"; did you mean "regression/v1"?',
    ],
  ],
  [
    'a bad duration',
    minimal('  train:\n    timeout: soon\n'),
    ['recipe.yaml:8:14 steps.train.timeout: must be a duration such as 90s, 15m, 2h or 7d, not "soon"'],
  ],
  [
    'a path outside the project',
    minimal().replace('data/a.csv', '../../etc/passwd'),
    [
      'recipe.yaml:6:15 steps.ingest.location: "../../etc/passwd" lies outside the project: copy it there, or give an http(s) address',
    ],
  ],
  [
    'an absolute path in a list',
    minimal().replace('data/a.csv', '[data/a.csv, /etc/passwd]'),
    [
      'recipe.yaml:6:28 steps.ingest.location[1]: "/etc/passwd" lies outside the project: copy it there, or give an http(s) address',
    ],
  ],
  [
    'a format without a loader',
    minimal().replace('csv\n', 'xyz\n'),
    ['recipe.yaml:5:5 steps.ingest.loader_method: is missing: format "xyz" has no built-in reader'],
  ],
  [
    'a function without a file',
    minimal('  transform:\n    transformer_method: make\n'),
    [
      'recipe.yaml:8:25 steps.transform.transformer_method: the project has no steps/transform.ts (or .js, .py)',
    ],
  ],
  [
    'an unknown metric',
    minimal('', 'primary_metric: rmse\n'),
    [
      'recipe.yaml:3:17 primary_metric: unknown metric for regression "rmse"; known are root_mean_squared_error, mean_absolute_error, mean_squared_error, max_error, mean_absolute_percentage_error, median_absolute_error, r2_score',
    ],
  ],
  [
    'a positive class in a regression',
    minimal('', 'positive_class: 1\n'),
    ['recipe.yaml:3:17 positive_class: is for classification only'],
  ],
  [
    'a gate with two bounds',
    minimal(
      '  evaluate:\n    validation_criteria:\n      - metric: r2_score\n        threshold: 1\n        min: 2\n',
    ),
    [
      'recipe.yaml:9:9 steps.evaluate.validation_criteria[0]: needs exactly one of: threshold; min and/or max; compare',
    ],
  ],
  [
    'a gate on an unknown slice',
    minimal(
      '  evaluate:\n    slices: [{name: night, where: "h > 20"}]\n    validation_criteria:\n      - {metric: r2_score, min: 0, slice: nigth}\n',
    ),
    [
      'recipe.yaml:10:43 steps.evaluate.validation_criteria[0].slice: unknown slice "nigth"; did you mean "night"?',
    ],
  ],
  [
    'a search without trials',
    minimal(
      '  train:\n    tuning:\n      enabled: true\n      parameters: {depth: {distribution: uniformint, low: 8, high: 2}}\n',
    ),
    [
      'recipe.yaml:9:7 steps.train.tuning.max_trials: is missing',
      'recipe.yaml:10:68 steps.train.tuning.parameters.depth.high: must be > low (8)',
    ],
  ],
  [
    'a search whose values are too large for numbers',
    minimal(
      '  train:\n    tuning:\n      enabled: true\n      max_trials: 3\n      parameters: {C: {distribution: loguniform, low: 8, high: 800}}\n',
    ),
    [
      'recipe.yaml:11:64 steps.train.tuning.parameters.C.high: exp(800) is too large: the bound is that of the logarithm',
    ],
  ],
  [
    'a slice whose condition cannot be read',
    minimal('  evaluate:\n    slices: [{name: night, where: "h >> 20"}]\n'),
    [
      'recipe.yaml:8:35 steps.evaluate.slices[0].where: expected a value or a column, found ">" at position 4 of `h >> 20`',
    ],
  ],
  [
    'a contract with an unknown rule',
    minimal('    contract: {columns: {y: {uniqe: true}}}\n'),
    ['recipe.yaml:7:30 steps.ingest.contract.columns.y.uniqe: unknown key; did you mean "unique"?'],
  ],
  [
    'a rule of auto beside a custom transform',
    minimal('  transform:\n    using: none\n    drop: [x]\n'),
    ['recipe.yaml:9:11 steps.transform.drop: has no effect unless using is auto'],
  ],
  [
    'canary steps that descend',
    minimal('  deploy:\n    canary_steps: [50, 10]\n'),
    ['recipe.yaml:8:19 steps.deploy.canary_steps: must ascend'],
  ],
  [
    'a monitor of nothing',
    minimal('  monitor:\n    rules: [{check: error_rate}]\n'),
    [
      'recipe.yaml:8:5 steps.monitor.endpoint: is missing: the recipe deploys no endpoint to watch',
      'recipe.yaml:8:13 steps.monitor.rules[0].threshold: is missing: error_rate compares with it',
    ],
  ],
  [
    'two model names',
    minimal('  register: {model_name: a}\n', 'model_registry: {model_name: b}\n'),
    ['recipe.yaml:8:26 steps.register.model_name: differs from model_registry.model_name ("b")'],
  ],
  [
    'several mistakes',
    minimal('  split: {split_ratios: [1, -1, 1]}\n  trian:\n', 'seed: -1\n'),
    [
      'recipe.yaml:3:7 seed: must be >= 0',
      'recipe.yaml:8:29 steps.split.split_ratios[1]: must be > 0',
      'recipe.yaml:9:3 steps.trian: unknown step; did you mean "train"?',
    ],
  ],
];

describe('a wrong recipe', () => {
  test.each(bad)('with %s is refused with every place and reason', (_, text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  test('whose contract stands in another file is shown the place there', () => {
    const files = {
      'recipe.yaml': minimal('    contract: c.yaml\n'),
      'c.yaml': 'columns:\n  y: {uniqe: true}\n',
    };
    expect(problemsOf(files)).toEqual(['c.yaml:2:7 columns.y.uniqe: unknown key; did you mean "unique"?']);
    expect(problemsOf({ 'recipe.yaml': files['recipe.yaml'] })).toEqual([
      'c.yaml:1:1: the project has no such file',
    ]);
  });

  test('that is not there is named', () => {
    expect(problemsOf({})).toEqual(['recipe.yaml: the project has no such file']);
  });
});

describe('a profile', () => {
  const templated = 'recipe: regression/v1\ntarget_col: "{{ TARGET }}"\nsteps:\n  ingest: {{ INGEST }}\n';

  test('gives values to variables and settings to the recipe', () => {
    const { recipe } = load(
      {
        'recipe.yaml': templated,
        'profiles/local.yaml':
          'TARGET: y\nINGEST: {using: parquet, location: "data/a#1.parquet"}\nexperiment: {name: x}\n',
      },
      'local',
    );
    expect(recipe.targetColumn).toBe('y');
    expect(recipe.steps.ingest?.config.location).toBe('data/a#1.parquet');
    expect(recipe.experiment.name).toBe('x');
  });

  test('is asked for only when a variable needs it, with the names to choose from', () => {
    const files = { 'recipe.yaml': templated, 'profiles/local.yaml': '', 'profiles/prod.yaml': '' };
    expect(problemsOf(files)).toEqual([
      'recipe.yaml:2:17: `TARGET` is undefined',
      'recipe.yaml:4:14: `INGEST` is undefined',
    ]);
    expect(() => load(files)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('local, prod') }),
    );
  });

  test('may not set a key that the recipe sets', () => {
    const files = { 'recipe.yaml': minimal(), 'profiles/p.yaml': 'seed: 1\ntarget_col: z\n' };
    expect(problemsOf(files, 'p')).toEqual([
      'recipe.yaml:2:1 target_col: stands in profiles/p.yaml too; a key may stand in one of them only',
    ]);
  });

  test('points at itself when its own value is wrong', () => {
    expect(problemsOf({ 'recipe.yaml': minimal(), 'profiles/p.yaml': '\nseed: x\n' }, 'p')).toEqual([
      'profiles/p.yaml:2:7 seed: must be a whole number, not "x"',
    ]);
  });

  test('is warned about for a variable that the recipe does not use', () => {
    const files = { 'recipe.yaml': minimal(), 'profiles/p.yaml': 'experimnt: {name: x}\n' };
    expect(load(files, 'p').warnings).toEqual([
      'profiles/p.yaml:1:1 experimnt: recipe.yaml does not use it; did you mean "experiment"?',
    ]);
  });

  test('that does not exist is an error, and so is a name that is a path', () => {
    expect(problemsOf({ 'recipe.yaml': minimal() }, 'p')).toEqual([
      'profile: the project has no profiles/p.yaml',
    ]);
    expect(problemsOf({ 'recipe.yaml': minimal() }, '../p')).toEqual([
      'profile: "../p" is not the name of a profile',
    ]);
  });
});

describe('a project of MLflow Pipelines', () => {
  const legacy = `template: "regression/v1"
data:
  location: ./data/a.parquet
  format: parquet
target_col: y
metrics:
  custom:
    - name: weighted
      function: steps.custom_metrics.weighted
      greater_is_better: no
  primary: weighted
steps:
  split:
    post_split_method: steps.split.process_splits
  train:
    using: estimator_spec
    estimator_method: steps.train.make
    tuning:
      enabled: yes
      algorithm: hyperopt.rand.suggest
      max_trials: 5
      parameters: {alpha: {distribution: uniform, low: 0, high: 0.01}}
  register: {model_name: m}
`;
  const code = { 'steps/split.py': '', 'steps/train.py': '', 'steps/custom_metrics.py': '' };

  test('runs as it is, with a warning for each old spelling', () => {
    const { recipe, warnings } = load({ 'pipeline.yaml': legacy, ...code });
    expect(recipe.kind).toBe('regression/v1');
    expect(recipe.steps.ingest?.config).toMatchObject({ using: 'parquet', location: './data/a.parquet' });
    expect(recipe.customMetrics).toEqual([
      { name: 'weighted', function: 'weighted', greaterIsBetter: false },
    ]);
    expect(recipe.primaryMetric).toBe('weighted');
    expect(recipe.steps.split?.config.post_split_method).toBe('process_splits');
    expect(recipe.steps.train?.config).toMatchObject({
      using: 'custom',
      estimator_method: 'make',
      rebalance_training_data: true,
      tuning: { enabled: true, algorithm: 'random', parallelism: 1 },
    });
    expect(recipe.modelName).toBe('m');
    expect(warnings).toContain('pipeline.yaml:1:1 template: is spelled `recipe` today');
    expect(warnings).toContain('pipeline.yaml:4:3 data.format: is spelled `data.using` today');
  });

  test('shows errors at the place that its author wrote', () => {
    expect(
      problemsOf({ 'pipeline.yaml': legacy.replace('format: parquet', 'format: [1]'), ...code }),
    ).toEqual(['pipeline.yaml:4:11 data.format: must be text, not a list']);
  });
});
