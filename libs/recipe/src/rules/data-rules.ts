import { isRemote, locationsOf } from '../snapshot/locations.ts';
import { isContained } from '../snapshot/project-path.ts';
import { functionKeys, stepCodeFile } from '../step-code.ts';
import { type Rule, section, wrong } from './rule.ts';

/** Formats of `ingest.using` that need no loader. */
const builtInFormats = new Set(['parquet', 'csv', 'json', 'jsonl', 'delta', 'spark_sql']);

export const ingestRule: Rule = function* ({ content }) {
  const ingest = section(content, 'ingest');
  const at = (key: string) => ['steps', 'ingest', key];
  const using: string = ingest.using;
  if (using === 'spark_sql') {
    if (ingest.sql === undefined && ingest.location === undefined) {
      yield wrong(at('sql'), 'is missing: spark_sql needs sql or location');
    }
  } else if (ingest.location === undefined) {
    yield wrong(at('location'), 'is missing');
  }
  if (!builtInFormats.has(using) && ingest.loader_method === undefined) {
    yield wrong(at('loader_method'), `is missing: format "${using}" has no built-in reader`);
  }
  for (const { location, path } of locationsOf(ingest)) {
    if (!isRemote(location) && using !== 'spark_sql' && !isContained(location)) {
      yield wrong(['steps', 'ingest', ...path], `"${location}" lies outside the project`);
    }
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
    yield wrong(at('split_method'), 'has no effect unless using is custom');
  }
  if (byColumns.length === 2) yield wrong(at('time_column'), 'cannot be combined with key_columns');
  if (split.post_split_method !== undefined && split.post_split_filter_method !== undefined) {
    yield wrong(at('post_split_filter_method'), 'has no effect beside post_split_method');
  }
  if ((split.key_columns ?? []).includes(content.target_col)) {
    yield wrong(at('key_columns'), 'must not hold the target column');
  }
};

/** A function that the recipe names must have a file that could hold it. */
export const codeFilesRule: Rule = function* ({ content, files }) {
  for (const [step, references] of Object.entries(functionKeys)) {
    for (const { module, key } of references) {
      if (typeof section(content, step)[key] !== 'string') continue;
      if (stepCodeFile(module, files) === undefined) {
        yield wrong(['steps', step, key], `the project has no steps/${module}.ts (or .js, .py)`);
      }
    }
  }
  if ((content.custom_metrics ?? []).length > 0 && stepCodeFile('custom_metrics', files) === undefined) {
    yield wrong(['custom_metrics'], 'the project has no steps/custom_metrics.ts (or .js, .py)');
  }
};
