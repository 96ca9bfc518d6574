import { Invalid } from '@millrace/errors';

export type ParamValue = number | string | boolean;
export type Params = Readonly<Record<string, ParamValue>>;

/** One parameter of an estimator: type, bounds (inclusive unless `above`), default, meaning. */
export type ParameterDefinition =
  | {
      readonly type: 'number' | 'integer';
      readonly default: number;
      readonly min?: number;
      /** Exclusive lower bound. */
      readonly above?: number;
      readonly max?: number;
      readonly description: string;
    }
  | { readonly type: 'boolean'; readonly default: boolean; readonly description: string };

export type ParameterDefinitions = Readonly<Record<string, ParameterDefinition>>;

/** Checks what the user gave and fills in defaults. Throws `Invalid` with every violation at once. */
export const resolveParams = (
  definitions: ParameterDefinitions,
  given: Readonly<Record<string, unknown>>,
  path: string,
): Params => {
  const unknown = Object.keys(given)
    .filter((name) => !(name in definitions))
    .map((name) => ({ path: `${path}.${name}`, message: 'is not a parameter of this estimator' }));
  const wrong = Object.entries(definitions).flatMap(([name, definition]) => {
    const problem = name in given ? problemWith(definition, given[name]) : undefined;
    return problem === undefined ? [] : [{ path: `${path}.${name}`, message: problem }];
  });
  const violations = [...unknown, ...wrong];
  if (violations.length > 0) {
    const known = Object.keys(definitions).join(', ') || 'none';
    throw new Invalid(violations.map((violation) => `${violation.path}: ${violation.message}`).join('; '), {
      violations,
      hint: `Parameters that it takes: ${known}.`,
    });
  }
  return Object.fromEntries(
    Object.entries(definitions).map(([name, definition]) => [
      name,
      (given[name] ?? definition.default) as ParamValue,
    ]),
  );
};

const problemWith = (definition: ParameterDefinition, value: unknown): string | undefined => {
  if (definition.type === 'boolean') return typeof value === 'boolean' ? undefined : 'must be true or false';
  if (typeof value !== 'number' || !Number.isFinite(value))
    return `must be a number, found ${JSON.stringify(value)}`;
  if (definition.type === 'integer' && !Number.isInteger(value))
    return `must be a whole number, found ${value}`;
  if (definition.min !== undefined && value < definition.min)
    return `must be at least ${definition.min}, found ${value}`;
  if (definition.above !== undefined && value <= definition.above)
    return `must be above ${definition.above}, found ${value}`;
  if (definition.max !== undefined && value > definition.max)
    return `must be at most ${definition.max}, found ${value}`;
  return undefined;
};

/** A parameter that its definition says is a number. */
export const numberParam = (params: Params, name: string): number => Number(params[name]);
