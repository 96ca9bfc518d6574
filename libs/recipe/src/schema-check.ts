import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import schema from '../schema/recipe.schema.json' with { type: 'json' };
import type { Problem } from './document/config.ts';
import { didYouMean } from './document/suggest.ts';
import type { Mapping, Path } from './document/yaml-document.ts';
import { validateContract, validateRecipe } from './generated/validators.js';

/** The published JSON Schema (draft 2020-12) of `recipe.yaml`. */
export const recipeSchema: object = schema;

/** Everything that the schema finds wrong with a recipe. */
export const checkSchema = (content: Mapping): readonly Problem[] => check(validateRecipe, content);

/** Everything that the schema finds wrong with a data contract that stands in a file of its own. */
export const checkContract = (content: Mapping): readonly Problem[] => check(validateContract, content);

// Compiled beforehand: that would take longer than all else that a recipe needs.
const check = (validate: ValidateFunction, content: Mapping): readonly Problem[] => {
  if (validate(content)) return [];
  // `if` only says that its `else` failed, which says itself why.
  return (validate.errors ?? []).filter(({ keyword }) => keyword !== 'if').map(problemOf);
};

interface Details {
  readonly [name: string]: unknown;
}

const problemOf = (error: ErrorObject): Problem => {
  const path = pathOf(error.instancePath);
  const details = error.params as Details;
  if (error.keyword === 'additionalProperties') {
    const key = String(details.additionalProperty);
    return { path: [...path, key], part: 'key', message: unknownKey(path, key, error), harmless: true };
  }
  if (error.keyword === 'required') {
    return { path: [...path, String(details.missingProperty)], part: 'value', message: 'is missing' };
  }
  return { path, part: 'value', message: wordsFor(error, details) };
};

const unknownKey = (path: Path, key: string, error: ErrorObject): string => {
  const known = Object.keys((error.parentSchema as { properties?: object }).properties ?? {});
  const what = path.length === 1 && path[0] === 'steps' ? 'unknown step' : 'unknown key';
  const suggestion = didYouMean(key, known);
  return suggestion === '' ? `${what}; known are ${known.join(', ')}` : `${what}${suggestion}`;
};

const wordsFor = (error: ErrorObject, details: Details): string => {
  const limit = String(details.limit);
  switch (error.keyword) {
    case 'type':
      return `must be ${typeNames(details.type)}, not ${describe(error.data)}`;
    case 'enum':
    case 'const':
      return notOneOf(error, details);
    case 'pattern':
      return `must be ${String((error.parentSchema as { 'x-expect'?: string })['x-expect'])}, not ${describe(error.data)}`;
    case 'exclusiveMinimum':
      return `must be > ${limit}`;
    case 'minimum':
      return `must be >= ${limit}`;
    case 'exclusiveMaximum':
      return `must be < ${limit}`;
    case 'maximum':
      return `must be <= ${limit}`;
    case 'minItems':
    case 'maxItems':
      return itemCount(error, limit);
    case 'minLength':
    case 'minProperties':
      return 'must not be empty';
    case 'uniqueItems':
      return 'must not hold the same item twice';
    default:
      return error.message ?? 'is wrong';
  }
};

const notOneOf = (error: ErrorObject, details: Details): string => {
  const allowed = (details.allowedValues ?? [details.allowedValue]) as readonly unknown[];
  const suggestion = typeof error.data === 'string' ? didYouMean(error.data, allowed.map(String)) : '';
  return `must be one of ${allowed.join(', ')}, not ${describe(error.data)}${suggestion}`;
};

const itemCount = (error: ErrorObject, limit: string): string => {
  const { minItems, maxItems } = error.parentSchema as { minItems?: number; maxItems?: number };
  const bound = minItems === maxItems ? 'exactly' : error.keyword === 'minItems' ? 'at least' : 'at most';
  return `must have ${bound} ${limit} item${limit === '1' ? '' : 's'}, not ${(error.data as unknown[]).length}`;
};

const typeNames = (types: unknown): string => {
  const article: Record<string, string> = {
    object: 'a mapping',
    array: 'a list',
    string: 'text',
    number: 'a number',
    integer: 'a whole number',
    boolean: 'true or false',
    null: 'empty',
  };
  const list = (Array.isArray(types) ? types : String(types).split(',')) as string[];
  return list
    .filter((type) => type !== 'null' || list.length === 1)
    .map((type) => article[type] ?? type)
    .join(' or ');
};

const describe = (value: unknown): string => {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  const text = typeof value === 'string' ? `"${value}"` : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};

/** JSON pointer → path; list positions become numbers. */
const pathOf = (pointer: string): Path =>
  pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((segment) => (/^(0|[1-9]\d*)$/.test(segment) ? Number(segment) : segment));
