import { Invalid } from '@millrace/errors';

/** One condition of a version: `>=3.9`. */
export interface Specifier {
  readonly operator: '==' | '!=' | '>=' | '<=' | '>' | '<' | '~=' | '===';
  /** Without a trailing `.*`. */
  readonly version: string;
  /** Ended in `.*`: compares the given parts only. */
  readonly isPrefix: boolean;
}

const clause = /^(==|!=|>=|<=|>|<|~=|===)?\s*v?(\d+(?:\.\d+)*)(\.\*)?$/;

/**
 * Reads `3.11`, `3.11.4`, `>=3.9,<3.12`, `==3.11.*`, `^3.9` or conda's `=3.11`. A single version stands for its minor
 * version: a patch release changes nothing that a project relies on. Throws `Invalid`.
 */
export const parseSpecifiers = (text: string): Specifier[] =>
  text
    .split(/[,\s](?=[\s<>=!~^])|,/)
    .map((part) => part.trim())
    .filter(Boolean)
    .flatMap((part) => parseClause(part, text));

const parseClause = (part: string, whole: string): Specifier[] => {
  const caret = /^\^\s*(\d+)(\.\d+)*$/.exec(part);
  if (caret) {
    return [
      { operator: '>=', version: part.slice(1).trim(), isPrefix: false },
      { operator: '<', version: String(Number(caret[1]) + 1), isPrefix: false },
    ];
  }
  const match = clause.exec(part.replace(/^=(?!=)/, ''));
  const version = match?.[2];
  if (match === null || version === undefined) {
    throw new Invalid(`\`${whole}\` is no version of Python`, { hint: 'Write `3.11` or `>=3.9,<3.12`.' });
  }
  const operator = match[1] as Specifier['operator'] | undefined;
  if (operator === undefined || operator.startsWith('==')) {
    return [{ operator: '==', version: minorOf(version), isPrefix: true }];
  }
  return [{ operator, version, isPrefix: match[3] !== undefined }];
};

/** Whether a version satisfies all of them. */
export const accepts = (specifiers: readonly Specifier[], version: string): boolean =>
  specifiers.every((specifier) => acceptsOne(specifier, version));

const acceptsOne = ({ operator, version: bound, isPrefix }: Specifier, version: string): boolean => {
  const compared = compareVersions(isPrefix ? cut(version, bound) : version, bound);
  switch (operator) {
    case '==':
    case '===':
      return compared === 0;
    case '!=':
      return compared !== 0;
    case '>=':
      return compared >= 0;
    case '<=':
      return compared <= 0;
    case '>':
      return compared > 0;
    case '<':
      return compared < 0;
    case '~=': {
      const upper = bound.split('.').slice(0, -1).join('.');
      return compared >= 0 && compareVersions(cut(version, upper), upper) === 0;
    }
  }
};

/** As many parts of `version` as `bound` has. */
const cut = (version: string, bound: string): string =>
  version.split('.').slice(0, bound.split('.').length).join('.');

/** Negative, zero or positive, part by part; absent parts count as 0. */
export const compareVersions = (left: string, right: string): number => {
  const parts = [left, right].map((version) => version.split('.').map(Number));
  const [a = [], b = []] = parts;
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
};

/** `3.11.7` → `3.11` */
export const minorOf = (version: string): string => version.split('.').slice(0, 2).join('.');
