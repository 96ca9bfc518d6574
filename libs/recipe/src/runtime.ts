import type { Problem } from './document/config.ts';
import { pathText } from './document/path-text.ts';
import type { Path } from './document/yaml-document.ts';
import { type Fields, section, wrong } from './rules/rule.ts';
import { earlyStopFunction, functionKeys, stepCodeFile } from './step-code.ts';
import type { ProjectFiles, Runtime } from './types.ts';

export interface RuntimeChoice {
  readonly runtime: Runtime;
  /** Why it is Python; empty in `node`. */
  readonly reasons: readonly string[];
  /** What the recipe asks for that the runtime cannot do beside the rest. */
  readonly problems: readonly Problem[];
}

/** Something that only one of the runtimes can do, and what asks for it. */
interface Claim {
  readonly path: Path;
  /** `steps/train.py`, or the setting. */
  readonly what: string;
}

/**
 * What runs a recipe. It is Python where a function that it names lies in a `.py` file only, where a setting takes
 * Python, or where nothing but such files are there; a recipe runs in one runtime as a whole. The content must
 * satisfy the schema.
 */
export const chooseRuntime = (content: Fields, files: ProjectFiles): RuntimeChoice => {
  const functions = namedFunctions(content);
  const python = [...pythonFunctions(functions, files), ...pythonSettings(content)];
  const node = [...nodeFunctions(functions, files), ...nodeSettings(content)];
  const isPython = python.length > 0 || (node.length === 0 && hasOnlyPython(files));
  if (!isPython) return { runtime: 'node', reasons: [], problems: [] };
  const [first] = python;
  const because = first === undefined ? 'its steps are Python files' : first.what;
  return {
    runtime: 'python',
    reasons: python.map(({ path, what }) => `${pathText(path)}: ${what} runs in Python`),
    problems: node.map(({ path, what }) =>
      wrong(
        path,
        `${what} runs in Node, but ${because} in Python; a recipe runs in one of them: ${insteadOf(path)}`,
      ),
    ),
  };
};

/** What to write in a Python recipe in place of a thing of the Node runtime. */
const insteadOf = (path: Path): string => {
  const [, step, key, setting] = path;
  if (setting === 'algorithm') return 'use random, tpe, or a function of hyperopt';
  if (setting === 'early_stop') return 'name a function in early_stop_fn';
  if (step === 'train' && key === 'using') return 'name an estimator_method, or use automl/flaml';
  if (step === 'transform') return 'return a scikit-learn transformer from a transformer_method';
  if (step === 'split') return 'using: custom with a split_method divides rows as you like';
  return 'write the function in Python as well, or the others in TypeScript';
};

/** A function that the recipe names, and the module that must hold it. */
export interface NamedFunction {
  readonly path: Path;
  readonly module: string;
}

/** The functions of the project that a recipe names; `custom_metrics` stands for all of its metrics. */
export const namedFunctions = (content: Fields): readonly NamedFunction[] => {
  const ofSteps = Object.entries(functionKeys).flatMap(([step, references]) =>
    references
      .filter(({ key }) => typeof section(content, step)[key] === 'string')
      .map(({ module, key }) => ({ path: ['steps', step, key], module })),
  );
  const metrics: readonly NamedFunction[] =
    (content.custom_metrics ?? []).length > 0 ? [{ path: ['custom_metrics'], module: 'custom_metrics' }] : [];
  const earlyStop: readonly NamedFunction[] =
    earlyStopFunction(section(content, 'train')) === undefined
      ? []
      : [{ path: ['steps', 'train', 'tuning', 'early_stop_fn'], module: 'train' }];
  return [...ofSteps, ...metrics, ...earlyStop];
};

/** Modules whose functions the Node runtime does not call. */
export const pythonModules: ReadonlySet<string> = new Set(['ingest', 'split']);

const pythonFunctions = (functions: readonly NamedFunction[], files: ProjectFiles): readonly Claim[] =>
  functions.flatMap(({ path, module }) => {
    const isCallable = !pythonModules.has(module) && stepCodeFile(module, files, 'node') !== undefined;
    const file = isCallable ? undefined : stepCodeFile(module, files, 'python');
    return file === undefined ? [] : [{ path, what: file }];
  });

const nodeFunctions = (functions: readonly NamedFunction[], files: ProjectFiles): readonly Claim[] =>
  functions.flatMap(({ path, module }) => {
    const file = stepCodeFile(module, files, 'node');
    const isNeeded = file !== undefined && stepCodeFile(module, files, 'python') === undefined;
    return isNeeded ? [{ path, what: file }] : [];
  });

function* pythonSettings(content: Fields): Iterable<Claim> {
  for (const step of ['ingest', 'ingest_scoring']) {
    const { using } = section(content, step);
    if (using === 'delta') yield { path: ['steps', step, 'using'], what: using };
  }
  const train = section(content, 'train');
  const at = (...keys: string[]): Path => ['steps', 'train', ...keys];
  if (train.using === 'automl/flaml') yield { path: at('using'), what: 'automl/flaml' };
  if (train.calibrate_proba !== undefined) yield { path: at('calibrate_proba'), what: 'calibrate_proba' };
  if (train.tuning?.enabled !== true) return;
  const { algorithm, early_stop_fn: earlyStop } = train.tuning;
  if (typeof algorithm === 'string' && algorithm.includes('.')) {
    yield { path: at('tuning', 'algorithm'), what: algorithm };
  }
  if (earlyStop !== undefined) {
    yield { path: at('tuning', 'early_stop_fn'), what: 'early_stop_fn' };
  }
}

/** Keys of a transform that only the built-in one looks at. */
const builtInTransformKeys = ['select', 'drop', 'numeric', 'categorical', 'date', 'columns'];

function* nodeSettings(content: Fields): Iterable<Claim> {
  const { using, tuning } = section(content, 'train');
  if (typeof using === 'string' && using !== 'custom' && using !== 'automl/flaml') {
    yield { path: ['steps', 'train', 'using'], what: using };
  }
  if (tuning?.enabled === true && tuning.algorithm === 'grid') {
    yield { path: ['steps', 'train', 'tuning', 'algorithm'], what: 'grid' };
  }
  if (tuning?.enabled === true && tuning.early_stop !== undefined && tuning.early_stop !== null) {
    yield { path: ['steps', 'train', 'tuning', 'early_stop'], what: 'early_stop' };
  }
  const transform = section(content, 'transform');
  if (transform.using === 'auto') yield { path: ['steps', 'transform', 'using'], what: 'auto' };
  for (const key of builtInTransformKeys.filter((name) => transform[name] !== undefined)) {
    yield { path: ['steps', 'transform', key], what: key };
  }
  const split = section(content, 'split');
  for (const key of ['key_columns', 'time_column'].filter((name) => split[name] !== undefined)) {
    yield { path: ['steps', 'split', key], what: key };
  }
}

const hasOnlyPython = (files: ProjectFiles): boolean => {
  const code = files.listFiles().filter((path) => /^steps\/[^/]+\.(?:m?[jt]s|py)$/.test(path));
  return code.length > 0 && code.every((path) => path.endsWith('.py'));
};
