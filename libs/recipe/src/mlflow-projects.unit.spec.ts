import { describe, expect, test } from 'vitest';
import { diskProject } from '../test/disk-project.ts';
import { load, minimal, problemsOf, project } from '../test/project.ts';
import { type PlannedStep, planSteps } from './plan/plan-steps.ts';
import { pythonNeeds } from './plan/python-needs.ts';

type Files = Readonly<Record<string, string>>;

const data = { 'data/trips.csv': 'fare_amount\n1\n', 'data/scoring/a.parquet': '' };
const regression: Files = { ...diskProject('regression'), ...data };
const classification: Files = {
  ...diskProject('classification'),
  'data/red.parquet': 'red',
  'data/white.parquet': 'white',
};
const plan = (files: Files, target = '', profile = 'local'): readonly PlannedStep[] =>
  planSteps(load(files, profile).recipe, project(files), target);

describe("a project of MLflow's regression template", () => {
  test('loads as it is and runs in Python, with what its profile says', () => {
    const { recipe, warnings } = load(regression, 'local');
    expect(warnings).toEqual([]);
    expect(recipe).toMatchObject({
      kind: 'regression/v1',
      runtime: 'python',
      targetColumn: 'fare_amount',
      modelName: 'taxi_fare_regressor',
      experiment: { name: 'sklearn_regression_experiment' },
      customMetrics: [{ name: 'weighted_mean_squared_error', greaterIsBetter: false }],
    });
    expect(recipe.steps.ingest?.config).toMatchObject({
      using: 'csv',
      location: './data/trips.csv',
      loader_method: 'load_file_as_dataframe',
    });
    expect(recipe.steps.split?.config.split_ratios).toEqual([0.7, 0.15, 0.15]);
    expect(recipe.pythonReasons).toContain('steps.ingest.loader_method: steps/ingest.py runs in Python');
  });

  test('plans both of its graphs', () => {
    const names = (steps: readonly PlannedStep[]) => steps.map(({ name, service }) => `${name}@${service}`);
    expect(names(plan(regression))).toEqual([
      'ingest@ingest',
      'split@ingest',
      'transform@training',
      'train@training',
      'evaluate@evaluation',
      'register@registry',
    ]);
    const scoring = plan(regression, 'predict');
    expect(names(scoring)).toEqual(['ingest_scoring@ingest', 'predict@deployment']);
    expect(scoring[1]?.config).toMatchObject({
      output: { using: 'parquet', location: './data/scored.parquet' },
      model_uri: 'models:/taxi_fare_regressor/latest',
      save_mode: 'overwrite',
    });
    expect(scoring[1]?.needs).toEqual(['ingest_scoring']);
  });

  test('falls back to the default of a variable that its profile does not give', () => {
    const files = {
      ...regression,
      'profiles/bare.yaml': (regression['profiles/local.yaml'] ?? '').replace(/^SPLIT.*$/m, ''),
    };
    expect(load(files, 'bare').recipe.steps.split?.config.split_ratios).toEqual([0.75, 0.125, 0.125]);
  });

  test('trains on Databricks data through a library, and is told why it cannot score with Spark', () => {
    const files = {
      ...regression,
      'data/trips_delta/_delta_log/0.json': '',
      'data/trips_delta/d=1/a.parquet': '',
    };
    const { recipe, warnings } = load(files, 'databricks');
    expect(pythonNeeds(recipe, 'training')).toEqual(['deltalake']);
    expect(plan(files, '', 'databricks')[0]?.dataFiles).toEqual([
      'data/trips_delta/_delta_log/0.json',
      'data/trips_delta/d=1/a.parquet',
    ]);
    expect(warnings.join('\n')).toContain('steps.ingest_scoring.using: spark_sql needs Spark');
    expect(() => plan(files, 'predict', 'databricks')).toThrow('write the rows of the query to Parquet');
  });

  test('trains although its scoring was never filled in, and is told where when it shall score', () => {
    const profile = regression['profiles/local.yaml'] ?? '';
    const blank = profile.replace(
      /^INGEST_SCORING_CONFIG:\n( .*\n)+/m,
      'INGEST_SCORING_CONFIG: {using: parquet, location: ""}\n',
    );
    expect(blank).not.toBe(profile);
    const files = { ...regression, 'profiles/local.yaml': blank };
    expect(plan(files).map(({ name }) => name)).toContain('register');
    expect(() => plan(files, 'predict')).toThrow('steps.ingest_scoring.location: must not be empty');
  });

  test('takes the defaults for names that were never filled in', () => {
    const profile = (regression['profiles/local.yaml'] ?? '')
      .replace(/^ {2}name: .*$/m, '  name: ""')
      .replace(/^ {2}model_name: .*$/m, '  model_name: ""');
    const { recipe, warnings } = load({ ...regression, 'profiles/local.yaml': profile }, 'local');
    expect(recipe).toMatchObject({ modelName: 'project', experiment: { name: 'project' } });
    expect(warnings).toEqual([
      expect.stringContaining('experiment.name: is empty: its default counts'),
      expect.stringContaining('model_registry.model_name: is empty: its default counts'),
    ]);
  });
});

describe("a project of MLflow's classification template", () => {
  test('loads with empty sections, AutoML, a file of JSON and a function that nobody calls', () => {
    const { recipe, warnings } = load(classification, 'local');
    expect(recipe).toMatchObject({
      task: 'classification/binary',
      runtime: 'python',
      positiveClass: 1,
      name: 'project',
      modelName: 'project',
    });
    expect(recipe.steps.transform?.config.using).toBe('none');
    expect(recipe.steps.train?.config).toMatchObject({
      using: 'automl/flaml',
      time_budget_secs: 30,
      flaml_params: { metric: 'micro_f1' },
      rebalance_training_data: true,
      resampling_minority_percentage: 0.3,
    });
    expect(warnings).toEqual([
      'recipe.yaml:13:23 steps.train.estimator_method: has no effect: using is automl/flaml',
    ]);
    expect(pythonNeeds(recipe, 'training')).toEqual(['flaml[automl]']);
  });

  test.each([
    ['1', 1],
    ['"1"', '1'],
    ['true', true],
    ['"yes"', 'yes'],
  ])('keeps the type of its positive class %s', (written, value) => {
    const files = {
      ...classification,
      'recipe.yaml': (classification['recipe.yaml'] ?? '').replace('{{POSITIVE_CLASS}}', written),
    };
    expect(load(files, 'local').recipe.positiveClass).toBe(value);
  });
});

const legacy = `template: "regression/v1"
data:
  location: {{DATA}}
  format: csv
  custom_loader_method: steps.ingest.load_file_as_dataframe
data_scoring:
  location: data/scoring.csv
  format: csv
  sql: SELECT * FROM trips
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
    post_split_filter_method: steps.split.create_dataset_filter
  transform:
    transformer_method: steps.transform.transformer_fn
  train:
    using: estimator_spec
    estimator_method: steps.train.estimator_fn
    rebalancing_enabled: false
    tuning:
      enabled: True
      algorithm: hyperopt.atpe.suggest
      max_trials: 5
      early_stop_fn: hyperopt.early_stop.no_progress_loss
      parameters: {alpha: {distribution: uniform, low: 0, high: 1e-2}}
  evaluate:
    validation_critera:
      - {metric: weighted, threshold: 3}
  register:
    model_name: taxi
  predict:
    output_location: data/scored.parquet
    output_format: parquet
`;
const legacyFiles: Files = {
  'pipeline.yaml': legacy,
  'profiles/local.yaml': 'DATA: ./data/a.csv\n',
  'data/a.csv': '',
  'data/scoring.csv': '',
  ...Object.fromEntries(
    ['ingest', 'split', 'transform', 'train', 'custom_metrics'].map((step) => [`steps/${step}.py`, '']),
  ),
};

describe('a project of MLflow Pipelines in Python', () => {
  test('loads with every old spelling, and a warning for each', () => {
    const { recipe, warnings } = load(legacyFiles, 'local');
    expect(recipe).toMatchObject({ runtime: 'python', primaryMetric: 'weighted', modelName: 'taxi' });
    expect(recipe.steps.ingest?.config).toMatchObject({
      using: 'csv',
      location: './data/a.csv',
      loader_method: 'load_file_as_dataframe',
    });
    expect(recipe.scoring.ingest_scoring?.config).toMatchObject({
      using: 'csv',
      location: 'data/scoring.csv',
    });
    expect(recipe.scoring.predict?.config).toMatchObject({
      output: { using: 'parquet', location: 'data/scored.parquet' },
    });
    expect(recipe.steps.split?.config).toMatchObject({
      post_split_method: 'process_splits',
      post_split_filter_method: 'create_dataset_filter',
    });
    expect(recipe.steps.train?.config).toMatchObject({
      using: 'custom',
      estimator_method: 'estimator_fn',
      tuning: { algorithm: 'hyperopt.atpe.suggest', early_stop_fn: 'hyperopt.early_stop.no_progress_loss' },
    });
    expect(recipe.steps.train?.config).not.toHaveProperty('rebalancing_enabled');
    // What has no effect is worth a warning, and keeps nobody from scoring.
    expect(warnings).toContainEqual(expect.stringMatching(/data_scoring.sql: has no effect/));
    expect(recipe.scoringProblems).toEqual([]);
    expect(recipe.steps.evaluate?.config.validation_criteria).toEqual([{ metric: 'weighted', threshold: 3 }]);
    expect(warnings).toContainEqual(
      expect.stringMatching(/steps.train.rebalancing_enabled: unknown key; known are/),
    );
    expect(warnings).toContainEqual(
      expect.stringMatching(/post_split_filter_method: has no effect beside post_split_method/),
    );
    expect(pythonNeeds(recipe, 'training')).toEqual(['hyperopt']);
  });
});

describe('the runtime of a recipe', () => {
  const custom = '  train: {using: custom, estimator_method: make}\n';
  const runtimeOf = (files: Files) => load(files).recipe.runtime;

  test.each<[string, Files, string]>([
    ['no code', { 'recipe.yaml': minimal() }, 'node'],
    ['TypeScript', { 'recipe.yaml': minimal(custom), 'steps/train.ts': '' }, 'node'],
    [
      'both for a function',
      { 'recipe.yaml': minimal(custom), 'steps/train.ts': '', 'steps/train.py': '' },
      'node',
    ],
    ['Python', { 'recipe.yaml': minimal(custom), 'steps/train.py': '' }, 'python'],
    [
      'calibration',
      {
        'recipe.yaml': minimal(
          '  train: {using: custom, estimator_method: make, calibrate_proba: sigmoid}\n',
        ).replace('regression', 'classification'),
        'steps/train.py': '',
      },
      'python',
    ],
    [
      'an estimator of Node beside Python files that it does not call',
      { 'recipe.yaml': minimal('  train: {using: linear/ridge}\n'), 'steps/notes.py': '' },
      'node',
    ],
  ])('with %s', (_, files, runtime) => {
    expect(runtimeOf(files)).toBe(runtime);
  });

  test('is one for the whole: what is of the other is named with what to do', () => {
    const steps =
      '  transform: {transformer_method: make}\n  train: {using: custom, estimator_method: make}\n';
    expect(
      problemsOf({ 'recipe.yaml': minimal(steps), 'steps/transform.ts': '', 'steps/train.py': '' }),
    ).toEqual([
      'recipe.yaml:7:35 steps.transform.transformer_method: steps/transform.ts runs in Node, but steps/train.py in Python; a recipe runs in one of them: return a scikit-learn transformer from a transformer_method',
    ]);
    const split = `${custom}  split: {time_column: t}\n`;
    expect(problemsOf({ 'recipe.yaml': minimal(split), 'steps/train.py': '' })).toEqual([
      'recipe.yaml:8:24 steps.split.time_column: time_column runs in Node, but steps/train.py in Python; a recipe runs in one of them: using: custom with a split_method divides rows as you like',
    ]);
  });

  test.each([
    [
      'algorithm: grid',
      'steps.train.tuning.algorithm: grid runs in Node',
      'use random, tpe, or a function of hyperopt',
    ],
    [
      'early_stop: {patience: 3}',
      'steps.train.tuning.early_stop: early_stop runs in Node',
      'name a function in early_stop_fn',
    ],
  ])('knows which search belongs to it: %s', (setting, what, instead) => {
    const tuning = `    tuning: {enabled: true, max_trials: 2, parameters: {a: {values: [1]}}, ${setting}}\n`;
    const text = minimal(`  train:\n    using: custom\n    estimator_method: make\n${tuning}`);
    const [problem] = problemsOf({ 'recipe.yaml': text, 'steps/train.py': '' });
    expect(problem).toContain(what);
    expect(problem).toContain(instead);
  });

  test('is Python for functions of ingest and split', () => {
    const split = '  split: {post_split_method: f}\n';
    expect(problemsOf({ 'recipe.yaml': minimal(split), 'steps/split.ts': '' })).toEqual([
      'recipe.yaml:7:30 steps.split.post_split_method: functions of split are Python: write it in steps/split.py',
    ]);
  });

  test('that is Python needs an estimator', () => {
    expect(problemsOf({ 'recipe.yaml': minimal('  train:\n'), 'steps/train.py': '' })).toEqual([
      'recipe.yaml:7:9 steps.train.estimator_method: is missing: using is custom; automl/flaml takes none',
    ]);
  });
});

describe('what Millrace cannot do', () => {
  const at = (location: string) => minimal('').replace('data/a.csv', location);

  test.each([
    ['dbfs:/databricks-datasets/x.parquet', 'is in a store that Millrace does not read'],
    ['runs:/abc/data.csv', 'is in a store that Millrace does not read'],
    ['mlflow-artifacts:/1/a.csv', 'is in a store that Millrace does not read'],
    ['s3://bucket/a.csv', 'is in a store that Millrace does not read'],
    ['file:///data/a.csv', 'is in a store that Millrace does not read'],
    ['/data/a.csv', 'lies outside the project'],
  ])('is to read %s', (location, why) => {
    expect(problemsOf(at(location))).toEqual([
      expect.stringContaining(`steps.ingest.location: "${location}" ${why}`),
    ]);
  });

  test('is to run Spark', () => {
    const sql = 'recipe: regression/v1\ntarget_col: y\nsteps:\n  ingest: {using: spark_sql, sql: SELECT 1}\n';
    expect(problemsOf(sql)).toEqual([
      expect.stringMatching(/steps.ingest.using: spark_sql needs Spark.*using: parquet/),
    ]);
  });
});

describe('a template', () => {
  const render = (recipe: string, profile: string, extra: Files = {}) =>
    load({ 'recipe.yaml': recipe, 'profiles/p.yaml': profile, ...extra }, 'p').recipe;

  test('keeps what MLflow lost: None, quotes and # inside a mapping', () => {
    const { steps } = render(
      minimal('  train: {using: linear/ridge, estimator_params: {{PARAMS}}}\n'),
      'PARAMS: {a: null, b: "it\'s \\"so\\"", c: "http://h/#x", d: true, e: "C:\\\\new", f: 1.5}\n',
    );
    expect(steps.train?.config.estimator_params).toEqual({
      a: null,
      b: 'it\'s "so"',
      c: 'http://h/#x',
      d: true,
      e: 'C:\\new',
      f: 1.5,
    });
  });

  test('passes over tags in comments, wherever those stand', () => {
    const recipe = `# {{ GONE }}\n${minimal('  train: # {{ GONE.x }} and {% if\n    using: linear/ridge # {{ GONE }}\n')}`;
    expect(render(recipe, '').steps.train?.config.using).toBe('linear/ridge');
  });

  test('may be followed by a comment that touches it', () => {
    const recipe = minimal('', 'primary_metric: "max_error"# {{ GONE }}: as agreed\n');
    expect(render(recipe, '').primaryMetric).toBe('max_error');
  });

  test('in a profile sees nothing, and its keys may not repeat', () => {
    expect(() => render(minimal(), 'SEED: {{ X|default(3) }}\nSEED: 4\n')).toThrow(
      'profiles/p.yaml:2:1: this key stands here twice',
    );
    expect(() => render(minimal(), 'SEED: {{ X }}\n')).toThrow('profiles/p.yaml:1:10: `X` is undefined');
  });

  test('reads JSON of the project', () => {
    const recipe = minimal('', 'seed: {{ ("conf/a.json" | from_json).seed }}\n');
    expect(render(recipe, '', { 'conf/a.json': '{"seed": 9}' }).seed).toBe(9);
  });
});

describe('what a step of a Python recipe depends on', () => {
  const changed = (name: string, change: Files): readonly string[] => {
    const components = (files: Files) => plan(files).find((step) => step.name === name)?.components ?? {};
    const [before, after] = [components(regression), components({ ...regression, ...change })];
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
      (key) => before[key] !== after[key],
    );
  };
  const steps = ['ingest', 'split', 'transform', 'train', 'evaluate', 'register'];
  const changes = (change: Files) =>
    Object.fromEntries(
      steps.map((name) => [name, changed(name, change)]).filter(([, keys]) => (keys ?? []).length > 0),
    );
  const edited = (path: string, edit: (text: string) => string): Files => ({
    [path]: edit(regression[path] ?? ''),
  });

  test('is the function that it calls, and no other step does', () => {
    expect(changes(edited('steps/split.py', (text) => text.replace('400', '300')))).toEqual({
      split: ['code.steps/split.py'],
    });
    expect(changes(edited('steps/custom_metrics.py', (text) => text.replace('+ 1', '+ 2')))).toEqual({
      train: ['code.steps/custom_metrics.py'],
      evaluate: ['code.steps/custom_metrics.py'],
    });
  });

  test('is no comment, docstring or layout, and no file that nothing uses', () => {
    const noted = (text: string) =>
      text
        .replace(/"""[^"]*"""/g, '"""Said otherwise."""')
        .replace(/^(import|from)/m, '# a note\n\n$1')
        .replace(/\n/g, '  # this\n');
    const files = ['ingest', 'split', 'transform', 'train', 'custom_metrics'].map(
      (step) => `steps/${step}.py`,
    );
    expect(changes(Object.assign({}, ...files.map((path) => edited(path, noted))))).toEqual({});
    expect(changes({ 'notebooks/try.py': 'x = 1', 'README.md': 'x', 'data/other.csv': '1' })).toEqual({});
  });

  test('is a text that is no docstring', () => {
    const make = (text: string) =>
      edited('steps/train.py', (code) => `${code}\n\nNAME = (\n    """${text}"""\n)\n`);
    const before = plan({ ...regression, ...make('a') }).find(({ name }) => name === 'train');
    const after = plan({ ...regression, ...make('b') }).find(({ name }) => name === 'train');
    expect(after?.components).not.toEqual(before?.components);
  });

  test('is a file of the project that its code names', () => {
    const code = edited('steps/transform.py', (text) => `${text}\nZONES = open("data/zones.csv").read()\n`);
    const before = { ...regression, ...code, 'data/zones.csv': '1' };
    const find = (files: Files) => plan(files).find(({ name }) => name === 'transform');
    expect(find(before)?.dataFiles).toEqual(['data/zones.csv']);
    expect(find({ ...before, 'data/zones.csv': '2' })?.components).not.toEqual(find(before)?.components);
  });

  test('is what is required, for the first step, which makes the lock that the others take', () => {
    expect(changes(edited('requirements.txt', (text) => `${text}pandas<3\n`))).toEqual({
      ingest: ['environment.requirements.txt'],
    });
    expect(changes(edited('requirements/test-requirements.txt', () => 'pytest<9\n'))).toEqual({
      ingest: ['environment.requirements/test-requirements.txt'],
    });
    expect(changes(edited('requirements.txt', (text) => `# new\n\n${text}`))).toEqual({});
  });

  test('is no name of a profile', () => {
    const files = { ...regression, 'profiles/other.yaml': regression['profiles/local.yaml'] ?? '' };
    expect(plan(files, '', 'other').map(({ components }) => components)).toEqual(
      plan(files).map(({ components }) => components),
    );
  });
});
