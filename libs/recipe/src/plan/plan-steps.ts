import { Invalid } from '@millrace/errors';
import { didYouMean } from '../document/suggest.ts';
import { filesAt, isRemote, locationsOf } from '../snapshot/locations.ts';
import { functionKeys, stepCodeFile } from '../step-code.ts';
import {
  type JsonObject,
  type ProjectFiles,
  type Recipe,
  type StepName,
  type StepSection,
  stepNames,
} from '../types.ts';
import { type CodeClosure, type CodeFile, codeClosure } from './code-files.ts';
import { canonicalJson, sha256 } from './digest.ts';
import { pythonReasons, usesCustomMetrics } from './python-features.ts';
import { type ContextKey, type StepDefinition, stepCatalogue } from './step-catalogue.ts';

/** The project's files with the digests of their bytes, as a manifest lists them. */
export interface DigestedFiles extends ProjectFiles {
  /** `sha256:<hex>` of a file; undefined when there is none. */
  digestOf(path: string): string | undefined;
}

/** One step of a run, before anything ran. */
export interface PlannedStep extends StepSection {
  readonly name: StepName;
  readonly service: string;
  /** Earlier steps whose outputs it reads. */
  readonly needs: readonly StepName[];
  /** User code that it may run. */
  readonly code: readonly CodeFile[];
  /** Files of the project that ingest reads. */
  readonly dataFiles: readonly string[];
  /**
   * Everything that its outcome depends on except its inputs, by name (`config.split_ratios`,
   * `code.steps/train.ts`, `environment.package-lock.json`, `recipe.target_col`, `seed`); short values as they
   * are, long ones as digests.
   */
  readonly components: Readonly<Record<string, string>>;
  /** Why its outputs must not be reused although nothing changed; undefined when they may. */
  readonly uncacheable?: string;
  /** Its outcome also depends on which model version serves as `production` when it runs. */
  readonly readsChampion: boolean;
  /** Why it cannot run in the built-in runtime; empty when it can. */
  readonly pythonReasons: readonly string[];
}

/** Files that decide which packages the user's code runs with. */
const environmentFiles = [
  'package.json',
  'package-lock.json',
  'requirements.txt',
  'requirements.lock',
  'python_env.yaml',
  'conda.yaml',
  'pyproject.toml',
  'uv.lock',
];

/**
 * The steps of a recipe in the order of their execution, up to and including `target`. Throws `Invalid` when
 * there is no such step, when step code is not valid, or when a location names nothing.
 */
export const planSteps = (recipe: Recipe, files: DigestedFiles, target?: string): readonly PlannedStep[] => {
  const present = stepNames.filter((name) => recipe.steps[name] !== undefined);
  const last =
    target === undefined || target === '' ? present.length - 1 : present.indexOf(target as StepName);
  if (last < 0) {
    const suggestion = didYouMean(String(target), present);
    throw Invalid.field('step', `the recipe has no step "${target}"${suggestion}`, {
      hint: `Its steps are ${present.join(', ')}.`,
    });
  }
  return present.slice(0, last + 1).map((name) => planStep(recipe, name, files));
};

const planStep = (recipe: Recipe, name: StepName, files: DigestedFiles): PlannedStep => {
  const section = recipe.steps[name] as StepSection;
  const definition = stepCatalogue[name];
  const code = codeOf(recipe, name, section, files);
  const dataFiles = name === 'ingest' ? dataFilesOf(section, files) : [];
  const uncacheable = reasonAgainstCache(name, section);
  return {
    ...section,
    name,
    service: definition.service,
    needs: definition.needs.filter((step) => recipe.steps[step] !== undefined),
    code: code.files,
    dataFiles,
    components: componentsOf(recipe, section, definition, { code, dataFiles, files }),
    ...(uncacheable === undefined ? {} : { uncacheable }),
    readsChampion: comparesWithChampion(name, section),
    pythonReasons: pythonReasons(recipe, name, files),
  };
};

const codeOf = (recipe: Recipe, name: StepName, section: StepSection, files: ProjectFiles): CodeClosure => {
  const modules = (functionKeys[name] ?? [])
    .filter(({ key }) => typeof section.config[key] === 'string')
    .map(({ module }) => module);
  if (usesCustomMetrics(recipe, name)) modules.push('custom_metrics');
  const entries = modules.map((module) => stepCodeFile(module, files)).filter((path) => path !== undefined);
  return codeClosure(entries, files);
};

const dataFilesOf = (section: StepSection, files: ProjectFiles): readonly string[] => {
  const paths = files.listFiles();
  const found = new Set<string>();
  for (const { location, path } of locationsOf(section.config)) {
    if (isRemote(location) || section.config.using === 'spark_sql') continue;
    const matches = filesAt(location, paths);
    if (matches.length === 0) {
      const field = `steps.ingest.${path[0]}${path.length > 1 ? `[${path[1]}]` : ''}`;
      throw Invalid.field(field, `the project has no file at "${location}"`);
    }
    for (const match of matches) found.add(match);
  }
  return [...found].sort();
};

const reasonAgainstCache = (name: StepName, section: StepSection): string | undefined => {
  if (!section.cache.enabled) return 'the recipe switches its cache off';
  if (name === 'deploy' || name === 'monitor') return 'it acts on the live endpoint';
  const locations = name === 'ingest' ? locationsOf(section.config) : [];
  if (locations.some(({ location }) => isRemote(location)) && section.cache.ttlMs === undefined) {
    return 'its source lies outside the project and may have changed; cache.ttl allows reuse';
  }
  return undefined;
};

const comparesWithChampion = (name: StepName, section: StepSection): boolean =>
  name === 'evaluate' &&
  (section.config.validation_criteria as readonly JsonObject[]).some(({ compare }) => compare === 'champion');

interface Sources {
  readonly code: CodeClosure;
  readonly dataFiles: readonly string[];
  readonly files: DigestedFiles;
}

const componentsOf = (
  recipe: Recipe,
  section: StepSection,
  definition: StepDefinition,
  { code, dataFiles, files }: Sources,
): Readonly<Record<string, string>> => {
  const components: Record<string, string> = {};
  for (const [key, value] of Object.entries(section.config)) components[`config.${key}`] = shown(value);
  for (const key of definition.context) components[`recipe.${key}`] = shown(contextValue(recipe, key));
  for (const { path, digest } of code.files) components[`code.${path}`] = digest;
  for (const path of dataFiles) components[`data.${path}`] = files.digestOf(path) ?? 'absent';
  if (code.usesPackages) Object.assign(components, environmentOf(files));
  if (definition.seeded) components.seed = String(recipe.seed);
  return components;
};

const environmentOf = (files: DigestedFiles): Readonly<Record<string, string>> =>
  Object.fromEntries(
    environmentFiles.flatMap((path) => {
      const digest = files.digestOf(path);
      return digest === undefined ? [] : [[`environment.${path}`, digest]];
    }),
  );

const contextValue = (recipe: Recipe, key: ContextKey): unknown => {
  const values: Record<ContextKey, unknown> = {
    task: recipe.task,
    target_col: recipe.targetColumn,
    positive_class: recipe.positiveClass ?? null,
    primary_metric: recipe.primaryMetric,
    custom_metrics: recipe.customMetrics,
    experiment: recipe.experiment,
  };
  return values[key];
};

/** Short values stay readable, so that a miss can say what changed from what to what. */
const shown = (value: unknown): string => {
  const text = canonicalJson(value);
  return text.length <= 60 ? text : sha256(text);
};
