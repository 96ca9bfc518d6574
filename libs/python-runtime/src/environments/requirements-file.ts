import { posix } from 'node:path';
import { Invalid } from '@millrace/errors';
import type { LocalPackage } from '../contract.ts';
import { isLocal, localPackage, outsideProject } from './local-package.ts';
import { nameOf } from './requirement-name.ts';

/** The project's files, as far as the reading of requirements needs them. */
export interface ProjectFiles {
  /** Text of a file by its path below the project's root, `/`-separated; undefined when it is not there. */
  readFile(path: string): string | undefined;
  listFiles(): readonly string[];
}

/** What a requirements file says. */
export interface RequirementsFile {
  readonly requirements: readonly string[];
  /** `requirements.txt:3`, one per requirement. */
  readonly places: readonly string[];
  readonly constraints: readonly string[];
  /** Options that say where packages come from and which kinds are taken. */
  readonly options: readonly string[];
  /** Packages of the project's own files. */
  readonly localPackages: readonly LocalPackage[];
}

/** Options of pip's format (https://pip.pypa.io/en/stable/reference/requirements-file-format/) that are passed on. */
const passedOn = new Set([
  '-i',
  '--index-url',
  '--extra-index-url',
  '--no-index',
  '-f',
  '--find-links',
  '--no-binary',
  '--only-binary',
  '--pre',
  '--trusted-host',
]);
/** Options without a meaning here: what is installed is pinned and checked anyway, or only pip knows them. */
const withoutMeaning = new Set(['--prefer-binary', '--require-hashes', '--use-feature']);

/** A requirement and where it stands, `requirements.txt:3`. */
export interface Line {
  readonly text: string;
  readonly place: string;
}

/** Reads a requirements file with the files that it includes. Throws `Invalid` naming file and line. */
export const readRequirements = (files: ProjectFiles, path: string): RequirementsFile => {
  const found = {
    requirements: [] as string[],
    places: [] as string[],
    constraints: [] as string[],
    options: [] as string[],
    localPackages: [] as LocalPackage[],
  };
  readInto(files, path, 'requirements', found, []);
  return found;
};

type Found = Record<'requirements' | 'places' | 'constraints' | 'options', string[]> & {
  localPackages: LocalPackage[];
};

const readInto = (
  files: ProjectFiles,
  path: string,
  kind: 'requirements' | 'constraints',
  found: Found,
  including: readonly string[],
): void => {
  // A file that includes itself says nothing new.
  if (including.includes(path)) return;
  const text = files.readFile(path);
  if (text === undefined) {
    throw new Invalid(`${including.at(-1) ?? path}: includes ${path}, which is not in the project`);
  }
  for (const line of logicalLines(text, path)) {
    const include = /^(-r|--requirement|-c|--constraint)(?:\s+|=|(?=[^-\s]))(.+)$/.exec(line.text);
    if (include?.[1] !== undefined && include[2] !== undefined) {
      const next = /^-c|^--c/.test(include[1]) ? 'constraints' : kind;
      readInto(files, includedPath(path, include[2].trim(), line.place), next, found, [...including, path]);
    } else {
      readLine(withoutEditable(line), files, kind, found);
    }
  }
};

const readLine = (
  line: Line,
  files: ProjectFiles,
  kind: 'requirements' | 'constraints',
  found: Found,
): void => {
  if (line.text.startsWith('-')) {
    found.options.push(...optionOf(line));
    return;
  }
  const requirement = requirementOf(line, files);
  if (typeof requirement === 'string') {
    found[kind].push(requirement);
    if (kind === 'requirements') found.places.push(line.place);
  } else if (kind === 'requirements') {
    found.localPackages.push(requirement);
  } else {
    throw Invalid.field(line.place, `\`${line.text}\` is a path, which constrains nothing`, {
      hint: 'Require it in requirements.txt.',
    });
  }
};

/** Nothing here changes once it is installed: what is editable is installed as anything else. */
const withoutEditable = ({ text, place }: Line): Line => ({
  text: text.replace(/^(?:-e|--editable)(?:\s+|=)/, ''),
  place,
});

/** Lines without comments, with continued ones joined. */
const logicalLines = (text: string, path: string): Line[] => {
  const lines: Line[] = [];
  let pending = '';
  let start = 0;
  text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .forEach((raw, index) => {
      if (pending === '') start = index + 1;
      // A comment ends a continued line as well, as pip has it.
      const line = raw.replace(/(^|\s)#.*$/, '');
      pending += line.endsWith('\\') ? line.slice(0, -1) : line;
      if (line.endsWith('\\')) return;
      if (pending.trim() !== '') lines.push({ text: pending.trim(), place: `${path}:${start}` });
      pending = '';
    });
  if (pending.trim() !== '') lines.push({ text: pending.trim(), place: `${path}:${start}` });
  return lines;
};

const includedPath = (from: string, target: string, place: string): string => {
  if (/^[a-z]+:\/\//i.test(target)) {
    throw Invalid.field(place, `${target} is included from outside the project`, {
      hint: 'Put the file into the project.',
    });
  }
  const path = posix.normalize(posix.join(posix.dirname(from), target));
  if (posix.isAbsolute(target) || path.startsWith('..')) throw outsideProject(place, target);
  return path;
};

const optionOf = ({ text, place }: Line): string[] => {
  const [name = '', ...values] = text.split(/\s+|=/);
  if (passedOn.has(name)) {
    const value = values.join('=');
    if (/^(?:-f|--find-links)$/.test(name) && !/^https?:\/\//.test(value)) throw localLinks(place, value);
    return [text];
  }
  if (withoutMeaning.has(name)) return [];
  throw Invalid.field(place, `the option ${name} of requirements files is not known`, {
    hint: 'Leave it out.',
  });
};

const localLinks = (place: string, value: string): Invalid =>
  Invalid.field(place, `packages of the local directory ${value} cannot be used`, {
    hint: 'Name an index or the address of a page of links.',
  });

/** A requirement as it is passed on, or the package of the project's own that it names. Throws `Invalid` naming the line. */
export const requirementOf = ({ text, place }: Line, files: ProjectFiles): string | LocalPackage => {
  // Options of a single requirement: hashes stay, as they say what is wanted; the others tell pip how to build it.
  const requirement = withoutOldWildcards(
    text.replace(/\s+--(?:global-option|config-settings|install-option)[=\s]\S+/g, ''),
  );
  const [bare = ''] = requirement.split(/\s+--hash/);
  if (isLocal(bare, files)) return localPackage(bare, place, files);
  if (nameOf(bare) === undefined && !/^(?:git\+|https?:)/.test(bare)) {
    throw Invalid.field(place, `\`${bare}\` is no requirement`, {
      hint: 'Write the name of a package and, if need be, its versions: `xgboost>=2`.',
    });
  }
  return requirement;
};

/**
 * `pandas>=1.3.*` as today's installers want it: `pandas>=1.3`. pip took it until 24.0, and the templates of MLflow Pipelines
 * are full of it.
 */
const withoutOldWildcards = (requirement: string): string =>
  requirement.replaceAll(/(>=|<=|~=|(?<![=!<>~])[<>])(\s*\d+(?:\.\d+)*)\.\*/g, '$1$2');
