import { posix } from 'node:path';
import { Invalid } from '@millrace/errors';
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

interface Line {
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
  };
  readInto(files, path, 'requirements', found, []);
  return found;
};

type Found = Record<'requirements' | 'places' | 'constraints' | 'options', string[]>;

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
    } else if (line.text.startsWith('-')) {
      found.options.push(...optionOf(line));
    } else {
      const requirement = requirementOf(line, files);
      found[kind].push(requirement);
      if (kind === 'requirements') found.places.push(line.place);
    }
  }
};

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
  if (posix.isAbsolute(target) || path.startsWith('..')) throw outside(place, target);
  return path;
};

const outside = (place: string, target: string): Invalid =>
  Invalid.field(place, `${target} lies outside the project`, {
    hint: 'Only what is in the project goes with it: move it inside, or name a published package.',
  });

const optionOf = ({ text, place }: Line): string[] => {
  const [name = '', ...values] = text.split(/\s+|=/);
  if (name === '-e' || name === '--editable') {
    throw Invalid.field(place, `\`${text}\` installs the project itself, which is no package here`, {
      hint: 'Leave the line out: modules beside recipe.yaml can be imported as they are. Publish other packages, or put their modules into the project.',
    });
  }
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

const requirementOf = ({ text, place }: Line, files: ProjectFiles): string => {
  // Options of a single requirement: hashes stay, as they say what is wanted; the others tell pip how to build it.
  const requirement = withoutOldWildcards(
    text.replace(/\s+--(?:global-option|config-settings|install-option)[=\s]\S+/g, ''),
  );
  const [bare = ''] = requirement.split(/\s+--hash/);
  if (
    /^(?:\.{1,2}(?:\/|$)|\/|file:)/.test(bare) ||
    /@\s*(?:file:|\.)/.test(bare) ||
    /\.(?:whl|tar\.gz|zip)$/.test(bare)
  ) {
    if (!/^https?:|@\s*https?:/.test(bare)) throw localPath(place, bare, files);
  }
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

const localPath = (place: string, requirement: string, files: ProjectFiles): Invalid => {
  const path = posix.normalize(requirement.replace(/^.*@\s*/, '').replace(/^file:(?:\/\/)?/, ''));
  if (posix.isAbsolute(path) || path.startsWith('..')) return outside(place, requirement);
  const exists = files
    .listFiles()
    .some((file) => file === path || file.startsWith(`${path}/`) || path === '.');
  return Invalid.field(
    place,
    exists
      ? `\`${requirement}\` is a package in the project's own files`
      : `\`${requirement}\` is not in the project`,
    {
      hint: 'Put its modules beside recipe.yaml, from where they can be imported as they are, or name a published package.',
    },
  );
};
