import { Invalid, messageOf } from '@millrace/errors';
import { minorOf } from './python-version.ts';
import type { Line } from './requirements-file.ts';

/** What Poetry's tables say, in the words of requirements files. */
export interface PoetryRequirements {
  /** Specifiers of Python's version: `>=3.9,<4`. */
  readonly python?: string;
  readonly lines: readonly Line[];
  readonly warnings: readonly string[];
}

/** One dependency: https://python-poetry.org/docs/dependency-specification */
interface Dependency {
  readonly version?: string;
  readonly extras?: readonly string[];
  readonly optional?: boolean;
  readonly python?: string;
  readonly platform?: string;
  readonly markers?: string;
  readonly path?: string;
  readonly file?: string;
  readonly git?: string;
  readonly url?: string;
  readonly source?: string;
}

/**
 * Translates `tool.poetry.dependencies`, the main group; other groups and optional packages are not installed. Throws
 * `Invalid` naming file and line for what has no equivalent.
 *
 * @param poetry the table `tool.poetry`
 * @param text of the file, to find lines in
 */
export const poetryRequirements = (
  poetry: Readonly<Record<string, unknown>>,
  path: string,
  text: string,
): PoetryRequirements => {
  const { python, ...dependencies } = poetry.dependencies as Readonly<Record<string, unknown>>;
  const lines = Object.entries(dependencies).flatMap(([name, value]) => {
    const place = `${path}:${lineOfDependency(text, name)}`;
    const choices = Array.isArray(value) ? value : [value];
    return choices.flatMap((choice) => requirementOf(name, dependencyOf(choice, place, name), place));
  });
  const asked = specifiersOf(python ?? '*', `${path}:${lineOfDependency(text, 'python')}`, 'python');
  const warnings =
    poetry.source === undefined
      ? []
      : [`${path}: indexes of Poetry (tool.poetry.source) are not read: name them in UV_INDEX`];
  return { lines, warnings, ...(asked === '' ? {} : { python: asked }) };
};

const dependencyOf = (value: unknown, place: string, name: string): Dependency => {
  if (typeof value === 'string') return { version: value };
  if (typeof value === 'object' && value !== null) return value;
  throw Invalid.field(place, `${name} = ${JSON.stringify(value)} is no dependency`, {
    hint: 'Write a version, `"^1.2"`, or a table.',
  });
};

/** Sources that a recorded environment could not be built from again, or that pip's format has no word for. */
const withoutEquivalent = {
  git: 'comes from version control',
  url: 'comes from an address',
  source: 'is bound to one of the indexes of Poetry',
} as const;

const requirementOf = (name: string, dependency: Dependency, place: string): Line[] => {
  if (dependency.optional === true) return [];
  for (const [key, what] of Object.entries(withoutEquivalent)) {
    if (key in dependency) {
      throw Invalid.field(place, `${name} ${what} (${key}), which is not taken from Poetry's tables`, {
        hint: 'Write a requirements.txt (`poetry export`), which comes before pyproject.toml.',
      });
    }
  }
  const extras = (dependency.extras ?? []).length === 0 ? '' : `[${dependency.extras?.join(',')}]`;
  const target = dependency.path ?? dependency.file;
  const conditions = conditionsOf(dependency, place);
  const condition = conditions === '' ? '' : ` ; ${conditions}`;
  if (target !== undefined) return [{ text: `${name}${extras} @ file:${target}${condition}`, place }];
  const specifiers = specifiersOf(dependency.version ?? '*', place, name);
  return [{ text: `${name}${extras}${specifiers}${condition}`, place }];
};

/** Markers, of which Poetry has shorter forms for the version of Python and the platform. */
const conditionsOf = ({ python, platform, markers }: Dependency, place: string): string => {
  const versions = specifiersOf(python ?? '*', place, 'python')
    .split(',')
    .filter(Boolean)
    .map((specifier) => {
      const [, operator = '', version = ''] = /^([<>=!~]+)(.*)$/.exec(specifier) ?? [];
      const variable =
        minorOf(version) === version || version.endsWith('.*') ? 'python_version' : 'python_full_version';
      return `${variable} ${operator} '${version}'`;
    });
  const platforms = platform === undefined ? [] : [`sys_platform == '${platform}'`];
  const all = [...versions, ...platforms];
  if (markers === undefined) return all.join(' and ');
  return all.length === 0 ? markers : [...all, `(${markers})`].join(' and ');
};

/** Poetry's constraint as specifiers of PEP 440: `^1.2` → `>=1.2,<2`; empty for `*`. Throws `Invalid`. */
const specifiersOf = (constraint: unknown, place: string, name: string): string => {
  try {
    return translated(String(constraint));
  } catch (thrown) {
    throw Invalid.field(place, `${name}: ${messageOf(thrown)}`, {
      hint: 'Write it as pip does: `>=1.2,<2`.',
    });
  }
};

const translated = (constraint: string): string => {
  if (constraint.includes('|'))
    throw new Error(`\`${constraint}\` has alternatives, which pip does not know`);
  return constraint
    .replace(/([<>=!~^])\s+/g, '$1')
    .split(/[,\s]+/)
    .filter((part) => part !== '' && part !== '*')
    .map((part) => translatedPart(part, constraint))
    .join(',');
};

const translatedPart = (part: string, constraint: string): string => {
  const [, operator, version] = /^(\^|~=|~|===?|!=|>=|<=|>|<|=)?v?(\d[\w.+!-]*(?:\.\*)?)$/.exec(part) ?? [];
  if (version === undefined) throw new Error(`\`${constraint}\` is no version`);
  if (operator === '^') return `>=${version},<${nextAfter(version, caretPlace(version))}`;
  if (operator === '~')
    return `>=${version},<${nextAfter(version, Math.min(1, numbersOf(version).length - 1))}`;
  return operator === undefined || operator === '=' ? `==${version}` : `${operator}${version}`;
};

/** The leading numbers of a version: `1.2.0rc1` → 1, 2, 0. */
const numbersOf = (version: string): number[] =>
  (/^\d+(?:\.\d+)*/.exec(version)?.[0] ?? '').split('.').map(Number);

/** The first part that is not zero, else the last. */
const caretPlace = (version: string): number => {
  const numbers = numbersOf(version);
  const found = numbers.findIndex((number) => number !== 0);
  return found < 0 ? numbers.length - 1 : found;
};

/** The least version with a greater number at that place: `1.2.3`, 1 → `1.3`. */
const nextAfter = (version: string, place: number): string => {
  const kept = numbersOf(version).slice(0, place + 1);
  return kept.map((number, index) => (index === place ? number + 1 : number)).join('.');
};

/** The line, from 1, at which a dependency stands in `[tool.poetry.dependencies]` or has a table of its own. */
const lineOfDependency = (text: string, name: string): number => {
  const key = `["']?${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}["']?`;
  const header = /^\s*\[+\s*tool\.poetry\.dependencies\s*\]+/;
  const own = new RegExp(`^\\s*\\[+\\s*tool\\.poetry\\.dependencies\\.${key}\\s*\\]`);
  const entry = new RegExp(`^\\s*${key}\\s*[=.]`);
  let inside = false;
  const lines = text.split('\n');
  for (const [index, line] of lines.entries()) {
    if (own.test(line)) return index + 1;
    if (/^\s*\[/.test(line)) inside = header.test(line);
    else if (inside && entry.test(line)) return index + 1;
  }
  return Math.max(1, lines.findIndex((line) => header.test(line)) + 1);
};
