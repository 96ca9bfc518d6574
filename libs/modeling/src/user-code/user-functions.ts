import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Invalid } from '@millrace/errors';
import type { UserFunction } from '../package/model-definition.ts';
import type { UserEstimator, UserTransform } from '../user-steps.ts';

/** How a user's function is named in messages: `steps/train.ts#estimator`. */
export const functionName = ({ file, export: name }: UserFunction): string => `${file}#${name}`;

type Factory = (...args: unknown[]) => unknown;

/** Imports the module below `root` and takes the function. To be called in the user's own process only. */
const importFunction = async (root: string, wanted: UserFunction): Promise<Factory> => {
  const module = (await import(pathToFileURL(join(root, wanted.file)).href)) as Record<string, unknown>;
  const found = module[wanted.export];
  if (typeof found === 'function') return found as Factory;
  throw Invalid.field(functionName(wanted), `${wanted.file} exports no function "${wanted.export}"`, {
    hint: `It exports: ${Object.keys(module).join(', ') || 'nothing'}.`,
  });
};

const requireMethods = <T>(value: unknown, wanted: UserFunction, methods: readonly string[]): T => {
  const missing = methods.filter(
    (name) => typeof (value as Record<string, unknown> | null | undefined)?.[name] !== 'function',
  );
  if (missing.length === 0) return value as T;
  throw Invalid.field(
    functionName(wanted),
    `must return an object with ${methods.join(' and ')}; ${missing.join(' and ')} is missing`,
  );
};

/** The user's estimator; throws `Invalid` when the function or one of its methods is missing. */
export const loadUserEstimator = async (
  root: string,
  wanted: UserFunction,
  params: Readonly<Record<string, unknown>>,
): Promise<UserEstimator> => {
  const factory = await importFunction(root, wanted);
  return requireMethods(await factory({ ...params }), wanted, ['fit', 'predict']);
};

/** The user's transform; see `loadUserEstimator`. */
export const loadUserTransform = async (root: string, wanted: UserFunction): Promise<UserTransform> => {
  const factory = await importFunction(root, wanted);
  return requireMethods(await factory(), wanted, ['fit', 'transform']);
};
