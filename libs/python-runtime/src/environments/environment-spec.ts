import { Invalid, messageOf } from '@millrace/errors';
import { parse as parseToml } from 'smol-toml';
import { parse as parseYaml } from 'yaml';
import type { EnvironmentSpec, LocalPackage } from '../contract.ts';
import { poetryRequirements } from './poetry.ts';
import { parseSpecifiers } from './python-version.ts';
import { nameOf, normalizedName } from './requirement-name.ts';
import {
  type Line,
  type ProjectFiles,
  type RequirementsFile,
  readRequirements,
  requirementOf,
} from './requirements-file.ts';

/** What a file of requirements says, before the recipe's needs are added. */
type Declared = Omit<EnvironmentSpec, 'needs' | 'lock' | 'projectRoot' | 'wheels'>;

/** Files that say what a project needs, the first that is there counts. */
const readers: readonly (readonly [string, (files: ProjectFiles, path: string) => Declared | undefined])[] = [
  ['requirements.txt', (files, path) => declared(path, readRequirements(files, path))],
  ['pyproject.toml', (files, path) => fromPyproject(files, path, textOf(files, path))],
  ['python_env.yaml', (files, path) => fromPythonEnv(files, path, textOf(files, path))],
  ['conda.yaml', (files, path) => fromConda(files, path, textOf(files, path))],
  ['conda.yml', (files, path) => fromConda(files, path, textOf(files, path))],
  ['environment.yml', (files, path) => fromConda(files, path, textOf(files, path))],
];

/**
 * What old recipes import without asking for it, as MLflow brought it along: for a project that does not say what it needs.
 * pandas, NumPy and scikit-learn are there anyway, as the worker needs them.
 */
const unsaid: readonly string[] = ['matplotlib', 'packaging', 'PyYAML', 'requests', 'scipy'];

/** Files that give the version of Python, where that of the requirements does not. */
const versionFiles = ['.python-version', 'runtime.txt'];

/**
 * What the environment of a project is built from: its `requirements.txt` (with what it includes), else `pyproject.toml`,
 * `python_env.yaml` or `conda.yaml`; without any of them the packages that came with MLflow. `needs` is what the recipe
 * uses beside that, added where the project does not name it. Pure. Throws `Invalid` naming file and line.
 */
export const environmentSpecOf = (files: ProjectFiles, needs: readonly string[]): EnvironmentSpec => {
  const names = new Set(files.listFiles());
  const found = readers.flatMap(([path, read]) => (names.has(path) ? (read(files, path) ?? []) : []))[0];
  const spec: Declared = found ?? { requirements: unsaid };
  const python = spec.python ?? versionFrom(files, names);
  return { ...spec, needs, ...(python === undefined ? {} : { python }) };
};

const textOf = (files: ProjectFiles, path: string): string => files.readFile(path) ?? '';

const versionFrom = (files: ProjectFiles, names: ReadonlySet<string>): string | undefined => {
  for (const path of versionFiles.filter((name) => names.has(name))) {
    const version = /(\d+\.\d+(?:\.\d+)?)/.exec(textOf(files, path))?.[1];
    if (version !== undefined) return version;
  }
  return undefined;
};

const declared = (source: string, file: RequirementsFile): Declared => ({
  source,
  requirements: file.requirements,
  places: file.places,
  ...localPackagesOf(file),
  ...(file.constraints.length === 0 ? {} : { constraints: file.constraints }),
  ...(file.options.length === 0 ? {} : { options: file.options }),
});

const localPackagesOf = ({ localPackages }: Pick<RequirementsFile, 'localPackages'>) =>
  localPackages.length === 0 ? {} : { localPackages };

interface Pyproject {
  readonly project?: Readonly<Record<string, unknown>>;
  readonly tool?: { readonly poetry?: Readonly<Record<string, unknown>> };
}

/**
 * `project.dependencies` and `project.requires-python`, else what Poetry has in `tool.poetry.dependencies`; a file that only
 * configures tools says nothing.
 */
const fromPyproject = (files: ProjectFiles, path: string, text: string): Declared | undefined => {
  const { project, tool } = parsed(path, () => parseToml(text)) as Pyproject;
  const poetry = tool?.poetry;
  if (poetry?.dependencies !== undefined && project?.dependencies === undefined) {
    return fromPoetry(files, path, text, poetry);
  }
  if (project === undefined) return undefined;
  const dependencies = textList(project.dependencies, `${path}: project.dependencies`);
  const python = project['requires-python'];
  return {
    source: path,
    ...sorted(
      dependencies.map((dependency) => ({ text: dependency, place: lineOf(text, dependency, path) })),
      files,
    ),
    ...(python === undefined ? {} : { python: versionText(python, `${path}: project.requires-python`) }),
  };
};

const fromPoetry = (
  files: ProjectFiles,
  path: string,
  text: string,
  poetry: Readonly<Record<string, unknown>>,
): Declared => {
  const { python, lines, warnings } = poetryRequirements(poetry, path, text);
  return {
    source: path,
    ...sorted(lines, files),
    ...(python === undefined
      ? {}
      : { python: versionText(python, `${path}: tool.poetry.dependencies.python`) }),
    ...(warnings.length === 0 ? {} : { warnings }),
  };
};

/** Published packages apart from the project's own. */
const sorted = (lines: readonly Line[], files: ProjectFiles) => {
  const requirements: string[] = [];
  const places: string[] = [];
  const localPackages: LocalPackage[] = [];
  for (const line of lines) {
    const requirement = requirementOf(line, files);
    if (typeof requirement === 'string') {
      requirements.push(requirement);
      places.push(line.place);
    } else localPackages.push(requirement);
  }
  return { requirements, places, ...localPackagesOf({ localPackages }) };
};

/** MLflow's format: https://mlflow.org/docs/latest/projects.html (`python`, `build_dependencies`, `dependencies`). */
const fromPythonEnv = (files: ProjectFiles, path: string, text: string): Declared => {
  const { python, dependencies } = mapping(path, text);
  const lines = textList(dependencies, `${path}: dependencies`);
  const file = readRequirements(withText(files, path, lines.join('\n')), path);
  return {
    ...declared(path, file),
    places: placesIn(file, path, text),
    ...(python === undefined ? {} : { python: versionText(python, `${path}: python`) }),
  };
};

/** Requirements that came from a list in another format stand where that says. */
const placesIn = (file: RequirementsFile, path: string, text: string): string[] =>
  file.requirements.map((requirement, index) => {
    const place = file.places[index] ?? path;
    if (!place.startsWith(`${path}:`)) return place;
    const whole = lineOf(text, requirement, path);
    return whole === path ? lineOf(text, nameOf(requirement) ?? requirement, path) : whole;
  });

/** A file whose text is another than in the project: a list of requirements inside it. */
const withText = (files: ProjectFiles, path: string, text: string): ProjectFiles => ({
  listFiles: () => files.listFiles(),
  readFile: (name) => (name === path ? text : files.readFile(name)),
});

/** Packages of conda that have another name at the Python package index. */
const condaNames: Readonly<Record<string, string>> = {
  'lightgbm-cpu': 'lightgbm',
  'py-xgboost': 'xgboost',
  'py-xgboost-cpu': 'xgboost',
  'pytorch-cpu': 'torch',
  msgpack_python: 'msgpack',
  pytorch: 'torch',
  'tensorflow-cpu': 'tensorflow',
  'matplotlib-base': 'matplotlib',
};
/** What conda installs that is no package of Python's index: nothing to do for it. */
const condaTools = new Set(['pip', 'setuptools', 'wheel', 'ca-certificates', 'openssl', 'libgcc-ng']);

/** Python's version, the pip part as it is, and conda's own packages by their names at the Python package index. */
const fromConda = (files: ProjectFiles, path: string, text: string): Declared => {
  const { dependencies } = mapping(path, text);
  if (dependencies !== undefined && !Array.isArray(dependencies)) throw notAList(`${path}: dependencies`);
  let python: string | undefined;
  const lines: string[] = [];
  const warnings: string[] = [];
  for (const entry of (dependencies ?? []) as unknown[]) {
    if (typeof entry !== 'string') {
      lines.push(...textList((entry as { pip?: unknown } | null)?.pip, `${path}: dependencies.pip`));
      continue;
    }
    const { name, version } = condaPackage(entry);
    if (name === 'python') python = version === '' ? undefined : version;
    else if (!condaTools.has(name)) {
      const mapped = normalizedName(condaNames[name] ?? name);
      lines.push(`${mapped}${version}`);
      warnings.push(
        `${lineOf(text, entry, path)}: conda's package ${name} is taken from the Python package index as ${mapped}${version}`,
      );
    }
  }
  const file = readRequirements(withText(files, path, lines.join('\n')), path);
  return {
    ...declared(path, file),
    places: placesIn(file, path, text),
    ...(python === undefined ? {} : { python: versionText(python, `${path}: python`) }),
    ...(warnings.length === 0 ? {} : { warnings }),
  };
};

/** `conda-forge::numpy=1.26=py311` → name and versions as pip writes them. */
const condaPackage = (entry: string): { name: string; version: string } => {
  const bare = entry.replace(/^[^:]*::/, '').trim();
  const match = /^([A-Za-z0-9._-]+)\s*(.*)$/.exec(bare);
  const name = (match?.[1] ?? bare).toLowerCase();
  const rest = (match?.[2] ?? '').trim();
  const single = /^=(?!=)\s*([^=\s]+)/.exec(rest)?.[1];
  if (single !== undefined) return { name, version: `==${single.replace(/\.?\*$/, '')}.*` };
  return { name, version: rest.replace(/\s+/g, ',').replace(/,(?=[^<>=!~])/g, '==') };
};

const versionText = (value: unknown, path: string): string => {
  const text = String(value).trim();
  try {
    parseSpecifiers(text);
  } catch (thrown) {
    throw Invalid.field(path, messageOf(thrown), { hint: 'Write `3.11` or `>=3.9,<3.12`.' });
  }
  return text;
};

const parsed = (path: string, parse: () => unknown): unknown => {
  try {
    return parse();
  } catch (thrown) {
    throw Invalid.field(path, messageOf(thrown).split('\n')[0] ?? 'cannot be read');
  }
};

const mapping = (path: string, text: string): Record<string, unknown> => {
  const value = parsed(path, () => parseYaml(text));
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw Invalid.field(path, 'is no mapping of keys to values');
};

const textList = (value: unknown, path: string): string[] => {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw notAList(path);
  return value.map((item) => {
    if (typeof item === 'string') return item;
    throw Invalid.field(path, `${JSON.stringify(item)} is no requirement`);
  });
};

const notAList = (path: string): Invalid => Invalid.field(path, 'is no list');

/** `conda.yaml:7`: the first line that holds the text. */
const lineOf = (text: string, part: string, path: string): string => {
  const index = text.split('\n').findIndex((line) => line.toLowerCase().includes(part.toLowerCase()));
  return index < 0 ? path : `${path}:${index + 1}`;
};
