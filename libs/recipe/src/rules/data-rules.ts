import type { Problem } from '../document/config.ts';
import type { Path } from '../document/yaml-document.ts';
import { namedFunctions, pythonModules } from '../runtime.ts';
import { isRemote, locationsOf } from '../snapshot/locations.ts';
import { isContained } from '../snapshot/project-path.ts';
import { stepCodeFile } from '../step-code.ts';
import { type Fields, hasStep, idle, type Rule, section, wrong } from './rule.ts';

/** Formats of `ingest.using` that need no loader. */
const builtInFormats = new Set(['parquet', 'csv', 'json', 'jsonl', 'delta']);

export const ingestRule: Rule = function* ({ content }) {
  yield* sourceProblems('ingest', section(content, 'ingest'));
  if (hasStep(content, 'ingest_scoring')) {
    yield* sourceProblems('ingest_scoring', section(content, 'ingest_scoring'));
  }
};

function* sourceProblems(step: string, source: Fields): Iterable<Problem> {
  const at = (...keys: (string | number)[]) => ['steps', step, ...keys];
  const using: string = source.using;
  if (using === 'spark_sql') {
    yield wrong(at('using'), noSpark);
    return;
  }
  if (source.location === undefined) yield wrong(at('location'), 'is missing');
  if (!builtInFormats.has(using) && source.loader_method === undefined) {
    yield wrong(at('loader_method'), `is missing: format "${using}" has no built-in reader`);
  }
  if (source.sql !== undefined) yield idle(at('sql'), 'has no effect unless using is spark_sql');
  for (const { location, path } of locationsOf(source)) yield* locationProblems(location, at(...path));
}

const noSpark =
  'spark_sql needs Spark, which Millrace runs without: write the rows of the query to Parquet, put the file into the project or behind an address, and name it with `using: parquet` and `location`';

/** Addresses of artifact stores (`dbfs:/x`, `runs:/id/x`, `s3://bucket/x`), which MLflow could download from. */
const otherStore = /^(?!https?:)[A-Za-z][A-Za-z0-9+.-]+:\//;

function* locationProblems(location: string, path: Path): Iterable<Problem> {
  if (otherStore.test(location)) {
    yield wrong(
      path,
      `"${location}" is in a store that Millrace does not read: put the data into the project, or give an http(s) address`,
    );
  } else if (!isRemote(location) && !isContained(location)) {
    yield wrong(path, `"${location}" lies outside the project: copy it there, or give an http(s) address`);
  }
}

export const predictRule: Rule = function* ({ content, runtime }) {
  const { predict, ingest_scoring: source } = content.steps;
  const at = (...keys: string[]) => ['steps', 'predict', ...keys];
  if (predict === undefined) return;
  if (source === undefined) {
    yield wrong(['steps', 'ingest_scoring'], 'is missing: predict scores the data that it reads');
  }
  const { using, location } = predict.output;
  if (using === 'table') {
    yield wrong(
      at('output', 'using'),
      'tables need Spark, which Millrace runs without: use parquet, csv or delta with the path of a file or directory',
    );
  } else if (using === 'delta' && runtime === 'node') {
    yield wrong(at('output', 'using'), 'delta is written in Python recipes only: use parquet or csv');
  } else if (otherStore.test(location) || isRemote(location) || !isContained(location)) {
    yield wrong(at('output', 'location'), `"${location}" lies outside the project`);
  }
};

export const splitRule: Rule = function* ({ content }) {
  const split = section(content, 'split');
  const at = (key: string) => ['steps', 'split', key];
  const byColumns = ['key_columns', 'time_column'].filter((key) => split[key] !== undefined);
  if (split.using === 'custom') {
    if (split.split_method === undefined) yield wrong(at('split_method'), 'is missing: using is custom');
    for (const key of byColumns) yield wrong(at(key), 'has no effect: using is custom');
  } else if (split.split_method !== undefined) {
    yield idle(at('split_method'), 'has no effect unless using is custom');
  }
  if (byColumns.length === 2) yield wrong(at('time_column'), 'cannot be combined with key_columns');
  if (split.post_split_method !== undefined && split.post_split_filter_method !== undefined) {
    yield idle(at('post_split_filter_method'), 'has no effect beside post_split_method');
  }
  if ((split.key_columns ?? []).includes(content.target_col)) {
    yield wrong(at('key_columns'), 'must not hold the target column');
  }
};

/** A function that the recipe names must have a file that could hold it. */
export const codeFilesRule: Rule = function* ({ content, files, runtime }) {
  for (const { path, module } of namedFunctions(content)) {
    if (stepCodeFile(module, files) === undefined) {
      const endings = pythonModules.has(module) ? '.py' : '.ts (or .js, .py)';
      yield wrong(path, `the project has no steps/${module}${endings}`);
    } else if (runtime === 'node' && pythonModules.has(module)) {
      yield wrong(path, `functions of ${module} are Python: write it in steps/${module}.py`);
    }
  }
};
