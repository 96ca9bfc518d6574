import { Invalid, type Violation } from '@millrace/errors';
import { inlineContract } from './contract-file.ts';
import { Config, type Problem } from './document/config.ts';
import { didYouMean } from './document/suggest.ts';
import {
  type Finding,
  type Mapping,
  type ParsedFile,
  type Path,
  parseTemplatedYaml,
  type SourceDocument,
} from './document/yaml-document.ts';
import { legacyTopLevelKeys, modernize } from './legacy.ts';
import { graphOf } from './plan/python-needs.ts';
import { resolveRecipe, taskOf } from './resolve.ts';
import { checkRules } from './rules/index.ts';
import { chooseRuntime } from './runtime.ts';
import { checkSchema, recipeSchema } from './schema-check.ts';
import { normalizeProjectPath } from './snapshot/project-path.ts';
import type { TemplateMapping } from './template/values.ts';
import type { ProjectFiles, Recipe } from './types.ts';

export interface LoadOptions extends ProjectFiles {
  /** Name of a file in `profiles/`; needed only when `recipe.yaml` uses variables that a profile gives. */
  readonly profile?: string;
  /** Name of the project where the recipe gives none; default `project`. */
  readonly projectName?: string;
}

export interface LoadedRecipe {
  readonly recipe: Recipe;
  /** One sentence each, with file and position. */
  readonly warnings: readonly string[];
}

/** Today's name and the name of MLflow 1.x, in order of preference. */
const recipeFiles = ['recipe.yaml', 'pipeline.yaml'] as const;
/** Top-level keys of a configuration, today's and legacy; a profile's other keys are variables of the template. */
const configKeys: readonly string[] = [
  ...Object.keys((recipeSchema as { properties: object }).properties),
  ...legacyTopLevelKeys,
];
const profileName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/**
 * Reads `recipe.yaml` with its profile, checks everything and fills in defaults. Throws `Invalid` with one
 * violation for each thing wrong, its path being `file:line:column key.path`.
 */
export const loadRecipe = (options: LoadOptions): LoadedRecipe => {
  const profile = loadProfile(options);
  const file = recipeFiles.find((name) => options.readFile(name) !== undefined);
  if (file === undefined) {
    throw Invalid.field('recipe.yaml', 'the project has no such file', {
      hint: 'Run this in a recipe project, or make one with `millrace init`.',
    });
  }
  const recipe = documentOf(
    parseTemplatedYaml(file, options.readFile(file) ?? '', {
      variables: (profile?.content ?? {}) as TemplateMapping,
      readFile: containedReader(options),
    }),
    hintFor(options),
  );
  const documents = profile === undefined ? [recipe] : [profile, recipe];
  const { config, findings } = Config.merge(documents);
  refuse(findings);
  const variables = Object.keys(profile?.content ?? {}).filter((key) => !configKeys.includes(key));
  const unused = variables.filter((key) => !isUsed(key, options.readFile(file) ?? ''));
  const loaded = check(config.without(variables), options);
  const warnings = unused.map((key) =>
    textOf(
      config.find({
        path: [key],
        part: 'key',
        message: `${file} does not use it${didYouMean(key, configKeys)}`,
      }),
    ),
  );
  return { ...loaded, warnings: [...loaded.warnings, ...warnings] };
};

/** Whether a template could refer to a variable; comments count, as this is for a warning only. */
const isUsed = (variable: string, template: string): boolean =>
  template.split(/[^A-Za-z0-9_]+/).includes(variable);

const loadProfile = (options: LoadOptions): SourceDocument | undefined => {
  const { profile = '' } = options;
  if (profile === '') return undefined;
  if (!profileName.test(profile)) {
    throw Invalid.field('profile', `"${profile.slice(0, 80)}" is not the name of a profile`);
  }
  const file = `profiles/${profile}.yaml`;
  const text = options.readFile(file);
  if (text === undefined) {
    throw Invalid.field('profile', `the project has no ${file}`, { hint: hintFor(options) });
  }
  return documentOf(parseTemplatedYaml(file, text, { variables: {}, readFile: containedReader(options) }));
};

const profilesOf = (options: LoadOptions): readonly string[] =>
  options
    .listFiles()
    .map((path) => /^profiles\/([^/]+)\.yaml$/.exec(path)?.[1])
    .filter((name) => name !== undefined)
    .sort();

const hintFor = (options: LoadOptions): string => {
  const profiles = profilesOf(options);
  if (profiles.length === 0) return 'The project has no profiles.';
  return options.profile === undefined || options.profile === ''
    ? `Variables come from a profile; choose one of: ${profiles.join(', ')}.`
    : `Profiles of the project: ${profiles.join(', ')}.`;
};

const containedReader =
  (files: ProjectFiles) =>
  (path: string): string | undefined =>
    files.readFile(normalizeProjectPath(path));

const documentOf = (parsed: ParsedFile, hint?: string): SourceDocument => {
  if (parsed.document !== undefined) return parsed.document;
  const undefinedNames = parsed.findings.some((finding) => finding.message.endsWith('is undefined'));
  return refuse(parsed.findings, undefinedNames ? hint : undefined) as never;
};

const check = (merged: Config, options: LoadOptions): LoadedRecipe => {
  const { content: written, moves, warnings } = modernize(merged.content);
  const config = merged.rearranged(written, moves);
  const shape = checkSchema(written);
  const broken = shape.filter((problem) => isGrave(problem) && isOfScoring(problem));
  if (shape.some((problem) => isGrave(problem) && !broken.includes(problem))) {
    refuse(shape.map((problem) => config.find(problem)));
  }
  const unknown = shape.filter((problem) => !broken.includes(problem));
  const content = withoutKeys(written, [...unknown.map(({ path }) => path), ...brokenSteps(broken)]);
  const { runtime, reasons, problems: mixed } = chooseRuntime(content, options);
  const { content: complete, findings } = inlineContract(content, options);
  const ruled = checkRules({ content, task: taskOf(content), runtime, files: options });
  const scoring = [...broken, ...ruled.filter(isOfScoring)];
  const problems = [...unknown, ...mixed, ...ruled.filter((problem) => !isOfScoring(problem))];
  // MLflow passed over what has no effect, and its projects must go on working.
  const isPassedOver = (problem: Problem): boolean => runtime === 'python' && !isGrave(problem);
  const passedOver = problems.filter(isPassedOver);
  const refused = problems.filter((problem) => !passedOver.includes(problem));
  refuse([...refused.map((problem) => config.find(problem)), ...findings]);
  const find = (problem: Problem): Finding => config.find(problem);
  return {
    recipe: resolveRecipe(complete, {
      projectName: options.projectName ?? 'project',
      profile: options.profile ?? '',
      runtime,
      pythonReasons: reasons,
      scoringProblems: scoring
        .filter((problem) => !isPassedOver(problem))
        .map(find)
        .map(violationOf),
    }),
    warnings: [
      ...warnings.map((warning) => textOf(merged.find(warning))),
      ...[...passedOver, ...scoring].map(find).map(textOf),
    ],
  };
};

/** What is wrong with batch scoring keeps nobody from training. */
const isOfScoring = ({ path }: Problem): boolean => graphOf(String(path[1])) === 'scoring';

const isGrave = ({ harmless }: Problem): boolean => harmless !== true;

/** The sections in which something is wrong, each once. */
const brokenSteps = (problems: readonly Problem[]): readonly Path[] =>
  [...new Set(problems.map(({ path }) => String(path[1])))].map((step) => ['steps', step]);

/** Without the keys at these places, so that what looks at the content meets none of them. */
const withoutKeys = (content: Mapping, places: readonly Path[]): Mapping => {
  const kept = structuredClone(content) as Record<string, unknown>;
  for (const path of places) {
    const parent = path.slice(0, -1).reduce<unknown>((node, key) => (node as Mapping)[key], kept);
    delete (parent as Record<string, unknown>)[String(path.at(-1))];
  }
  return kept;
};

const placeOf = ({ file, position, path }: Finding): string =>
  `${file}:${position.line}:${position.column}${path === '' ? '' : ` ${path}`}`;

const violationOf = (finding: Finding): Violation => ({ path: placeOf(finding), message: finding.message });

const textOf = (finding: Finding): string => `${placeOf(finding)}: ${finding.message}`;

const inOrder = (left: Finding, right: Finding): number =>
  left.file.localeCompare(right.file) ||
  left.position.line - right.position.line ||
  left.position.column - right.position.column;

/** Throws one error for all findings; does nothing when there are none. */
const refuse = (findings: readonly Finding[], hint?: string): void => {
  if (findings.length === 0) return;
  const violations = findings.toSorted(inOrder).map(violationOf);
  const first = violations[0];
  const more = violations.length === 1 ? '' : ` (and ${violations.length - 1} more)`;
  throw new Invalid(`${first?.path}: ${first?.message}${more}`, {
    violations,
    ...(hint === undefined ? {} : { hint }),
  });
};
