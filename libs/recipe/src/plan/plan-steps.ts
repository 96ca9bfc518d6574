import { Invalid } from '@millrace/errors';
import { didYouMean } from '../document/suggest.ts';
import { filesAt, isRemote, locationsOf } from '../snapshot/locations.ts';
import { earlyStopFunction, functionKeys, stepCodeFile } from '../step-code.ts';
import {
  type JsonObject,
  type ProjectFiles,
  type Recipe,
  type ScoringStepName,
  type StepName,
  type StepSection,
  scoringStepNames,
  stepNames,
} from '../types.ts';
import { type CodeClosure, type CodeFile, codeClosure } from './code-files.ts';
import { canonicalJson, sha256 } from './digest.ts';
import { filesNamedIn, isRequirementsFile, requirementLines } from './python-files.ts';
import { graphOf, pythonNeeds } from './python-needs.ts';
import { type ContextKey, type StepDefinition, stepCatalogue } from './step-catalogue.ts';

/** The project's files with the digests of their bytes, as a manifest lists them. */
export interface DigestedFiles extends ProjectFiles {
  /** `sha256:<hex>` of a file; undefined when there is none. */
  digestOf(path: string): string | undefined;
}

/** One step of a run, before anything ran. */
export interface PlannedStep extends StepSection {
  readonly name: StepName | ScoringStepName;
  readonly service: string;
  /** Earlier steps whose outputs it reads. */
  readonly needs: readonly (StepName | ScoringStepName)[];
  /** User code that it may run. */
  readonly code: readonly CodeFile[];
  /** Files of the project that it reads: those at the location of ingest, and those that Python code names. */
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
}

/** Files that decide which packages the user's code in Node runs with. */
const environmentFiles = ['package.json', 'package-lock.json'];

/**
 * The steps of a recipe in the order of their execution, up to and including `target`; those of batch scoring when
 * the target is one of them. Throws `Invalid` when there is no such step, when step code is not valid, or when a
 * location names nothing.
 */
export const planSteps = (recipe: Recipe, files: DigestedFiles, target = ''): readonly PlannedStep[] => {
  const present = stepsOf(recipe, target);
  if (graphOf(target) === 'scoring') refuseScoring(recipe);
  const last = target === '' ? present.length - 1 : present.indexOf(target as StepName);
  if (last < 0) {
    const suggestion = didYouMean(target, present);
    throw Invalid.field('step', `the recipe has no step "${target}"${suggestion}`, {
      hint: `Its steps are ${Object.keys({ ...recipe.steps, ...recipe.scoring }).join(', ')}.`,
    });
  }
  return present.slice(0, last + 1).map((name) => planStep(recipe, name, files));
};

/** Throws `Invalid` with all that is wrong with the steps of batch scoring; does nothing when they are right. */
export const refuseScoring = ({ scoringProblems: violations }: Recipe): void => {
  const [first] = violations;
  if (first !== undefined) throw new Invalid(`${first.path}: ${first.message}`, { violations });
};

const stepsOf = (recipe: Recipe, target: string): readonly (StepName | ScoringStepName)[] =>
  graphOf(target) === 'scoring'
    ? scoringStepNames.filter((name) => recipe.scoring[name] !== undefined)
    : stepNames.filter((name) => recipe.steps[name] !== undefined);

const planStep = (recipe: Recipe, name: StepName | ScoringStepName, files: DigestedFiles): PlannedStep => {
  const section = { ...recipe.steps, ...recipe.scoring }[name] as StepSection;
  const definition = stepCatalogue[name];
  const code = codeOf(recipe, name, section, files);
  const located = readsSource(name) ? locatedFiles(name, section, files) : [];
  const dataFiles = [...new Set([...located, ...filesNamedIn(code.files, files)])].sort();
  const uncacheable = reasonAgainstCache(name, section);
  return {
    ...section,
    name,
    service: definition.service,
    needs: definition.needs.filter((step) => Object.hasOwn({ ...recipe.steps, ...recipe.scoring }, step)),
    code: code.files,
    dataFiles,
    components: componentsOf(recipe, name, { section, definition, code, dataFiles, files }),
    ...(uncacheable === undefined ? {} : { uncacheable }),
    readsChampion: comparesWithChampion(name, section),
  };
};

/** Steps that read data from outside the run. */
const readsSource = (name: string): boolean => name === 'ingest' || name === 'ingest_scoring';

const codeOf = (recipe: Recipe, name: string, section: StepSection, files: ProjectFiles): CodeClosure => {
  const modules = (functionKeys[name] ?? [])
    .filter(({ key }) => typeof section.config[key] === 'string')
    .map(({ module }) => module);
  if (name === 'train' && earlyStopFunction(section.config) !== undefined) modules.push('train');
  if (usesCustomMetrics(recipe, name)) modules.push('custom_metrics');
  const entries = modules
    .map((module) => stepCodeFile(module, files, recipe.runtime))
    .filter((path) => path !== undefined);
  return codeClosure(entries, files);
};

const usesCustomMetrics = (recipe: Recipe, name: string): boolean =>
  recipe.customMetrics.length > 0 && (name === 'train' || name === 'evaluate');

const locatedFiles = (name: string, { config }: StepSection, files: ProjectFiles): readonly string[] => {
  const paths = files.listFiles();
  return locationsOf(config).flatMap(({ location, path }) => {
    if (isRemote(location)) return [];
    const matches = filesAt(location, paths, config.using === 'delta');
    if (matches.length > 0) return matches;
    const field = `steps.${name}.${path[0]}${path.length > 1 ? `[${path[1]}]` : ''}`;
    throw Invalid.field(field, `the project has no file at "${location}"`);
  });
};

const reasonAgainstCache = (name: string, section: StepSection): string | undefined => {
  if (!section.cache.enabled) return 'the recipe switches its cache off';
  if (name === 'deploy' || name === 'monitor') return 'it acts on the live endpoint';
  if (name === 'predict') return 'the model that it uses may have changed, and it writes a file';
  const locations = readsSource(name) ? locationsOf(section.config) : [];
  if (locations.some(({ location }) => isRemote(location)) && section.cache.ttlMs === undefined) {
    return 'its source lies outside the project and may have changed; cache.ttl allows reuse';
  }
  return undefined;
};

const comparesWithChampion = (name: string, section: StepSection): boolean =>
  name === 'evaluate' &&
  (section.config.validation_criteria as readonly JsonObject[]).some(({ compare }) => compare === 'champion');

interface Sources {
  readonly section: StepSection;
  readonly definition: StepDefinition;
  readonly code: CodeClosure;
  readonly dataFiles: readonly string[];
  readonly files: DigestedFiles;
}

const componentsOf = (
  recipe: Recipe,
  name: string,
  { section, definition, code, dataFiles, files }: Sources,
): Readonly<Record<string, string>> => {
  const components: Record<string, string> = {};
  for (const [key, value] of Object.entries(section.config)) components[`config.${key}`] = shown(value);
  for (const key of definition.context) components[`recipe.${key}`] = shown(contextValue(recipe, key));
  for (const { path, digest } of code.files) components[`code.${path}`] = digest;
  for (const path of dataFiles) components[`data.${path}`] = files.digestOf(path) ?? 'absent';
  if (recipe.runtime === 'python') Object.assign(components, pythonEnvironmentOf(recipe, name, files));
  else if (code.usesPackages) Object.assign(components, environmentOf(files));
  if (definition.seeded) components.seed = String(recipe.seed);
  return components;
};

/**
 * What decides the environment belongs to the step that makes it, the first one: it resolves the requirements to a
 * lock, and the others depend on the lock, which is an input of theirs.
 */
const pythonEnvironmentOf = (
  recipe: Recipe,
  name: string,
  files: DigestedFiles,
): Readonly<Record<string, string>> => {
  if (!readsSource(name)) return {};
  const requirements = files.listFiles().filter(isRequirementsFile).sort();
  return {
    'recipe.runtime': recipe.runtime,
    'environment.needs': shown(pythonNeeds(recipe, graphOf(name))),
    ...Object.fromEntries(
      requirements.map((path) => [
        `environment.${path}`,
        sha256(requirementLines(path, files.readFile(path) ?? files.digestOf(path) ?? '')),
      ]),
    ),
  };
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
