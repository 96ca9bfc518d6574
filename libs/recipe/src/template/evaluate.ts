import type { ParsedNode } from 'nunjucks';
import { TemplateFault } from './fault.ts';
import type { TemplateFilter } from './filters.ts';
import { isList, isMapping, isTrue, type TemplateValue, toYamlText, Undefined, weightOf } from './values.ts';

/** What an expression may see and do. There are no globals, and no way from a value to its prototype. */
export interface EvaluationScope {
  readonly variables: ReadonlyMap<string, TemplateValue>;
  readonly filters: Readonly<Record<string, TemplateFilter>>;
  offsetOf(node: ParsedNode): number;
  /** Counts work; throws `TemplateLimit` when there was too much. */
  spend(node: ParsedNode, work: number): void;
  /** What may still be spent. */
  readonly budget: number;
}

const maxRange = 10_000;
const constants: Readonly<Record<string, TemplateValue>> = {
  True: true,
  False: false,
  None: null,
};

type Evaluator = (node: ParsedNode, scope: EvaluationScope) => TemplateValue;

/** The value of an expression; `Undefined` when it is a bare name or member without a value. */
export const evaluate: Evaluator = (node, scope) => {
  scope.spend(node, 1);
  const evaluator = Object.hasOwn(evaluators, node.typename) ? evaluators[node.typename] : undefined;
  if (evaluator === undefined) return fail(node, scope, `${node.typename} is not supported in recipes`);
  const value = evaluator(node, scope);
  // Lists can share parts, so that a short template could describe an enormous value.
  scope.spend(node, weightOf(value, scope.budget));
  return value;
};

/** As `evaluate`, for places where a value is due. */
export const evaluateDefined: Evaluator = (node, scope) => {
  const value = evaluate(node, scope);
  if (value instanceof Undefined) return fail(node, scope, `\`${value.name}\` is undefined`);
  return value;
};

const fail = (node: ParsedNode, scope: EvaluationScope, message: string): never => {
  throw new TemplateFault(scope.offsetOf(node), message);
};

const child = (node: ParsedNode, field: string): ParsedNode => node[field] as ParsedNode;
const childrenOf = (node: ParsedNode): readonly ParsedNode[] => node.children as readonly ParsedNode[];

const lookUp = (target: TemplateValue, key: TemplateValue, name: string): TemplateValue => {
  if (isMapping(target) && Object.hasOwn(target, String(key))) return target[String(key)] as TemplateValue;
  if (isList(target) && typeof key === 'number') {
    return target.at(key) ?? new Undefined(name);
  }
  return new Undefined(name);
};

const nameOf = (node: ParsedNode): string => {
  if (node.typename === 'Symbol' || node.typename === 'Literal') return String(node.value);
  if (node.typename === 'LookupVal') return `${nameOf(child(node, 'target'))}.${nameOf(child(node, 'val'))}`;
  return 'value';
};

const numeric =
  (compute: (left: number, right: number) => number): Evaluator =>
  (node, scope) => {
    const left = evaluateDefined(child(node, 'left'), scope);
    const right = evaluateDefined(child(node, 'right'), scope);
    if (typeof left !== 'number' || typeof right !== 'number') return fail(node, scope, 'numbers are needed');
    return compute(left, right);
  };

const add: Evaluator = (node, scope) => {
  const left = evaluateDefined(child(node, 'left'), scope);
  const right = evaluateDefined(child(node, 'right'), scope);
  if (typeof left === 'number' && typeof right === 'number') return left + right;
  if (typeof left === 'string' && typeof right === 'string') return left + right;
  if (isList(left) && isList(right)) return [...left, ...right];
  return fail(node, scope, 'only two numbers, two texts or two lists can be added');
};

const compareOne = (left: TemplateValue, operator: string, right: TemplateValue): boolean => {
  const [a, b] =
    typeof left === 'object' || typeof right === 'object'
      ? [JSON.stringify(left), JSON.stringify(right)]
      : [left, right];
  switch (operator) {
    case '==':
    case '===':
      return a === b;
    case '!=':
    case '!==':
      return a !== b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    default:
      return a >= b;
  }
};

const compare: Evaluator = (node, scope) => {
  let left = evaluateDefined(child(node, 'expr'), scope);
  for (const operand of node.ops as readonly ParsedNode[]) {
    const right = evaluateDefined(child(operand, 'expr'), scope);
    if (!compareOne(left, String(operand.type), right)) return false;
    left = right;
  }
  return true;
};

const tests: Readonly<Record<string, (value: TemplateValue) => boolean>> = {
  none: (value) => value === null,
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  mapping: isMapping,
  sequence: isList,
  true: (value) => value === true,
  false: (value) => value === false,
};

const test: Evaluator = (node, scope) => {
  const name = nameOf(child(node, 'right'));
  if (name === 'defined' || name === 'undefined') {
    return evaluate(child(node, 'left'), scope) instanceof Undefined === (name === 'undefined');
  }
  const known = Object.hasOwn(tests, name) ? tests[name] : undefined;
  if (known === undefined) return fail(node, scope, `there is no test \`${name}\``);
  return known(evaluateDefined(child(node, 'left'), scope));
};

const contains: Evaluator = (node, scope) => {
  const item = evaluateDefined(child(node, 'left'), scope);
  const container = evaluateDefined(child(node, 'right'), scope);
  if (isList(container)) return container.some((candidate) => compareOne(candidate, '==', item));
  if (isMapping(container)) return Object.hasOwn(container, String(item));
  if (typeof container === 'string') return container.includes(String(item));
  return fail(node, scope, '`in` needs a list, a mapping or text');
};

const applyFilter: Evaluator = (node, scope) => {
  const name = nameOf(child(node, 'name'));
  const filter = Object.hasOwn(scope.filters, name) ? scope.filters[name] : undefined;
  if (filter === undefined) return fail(node, scope, `there is no filter \`${name}\``);
  const [input, ...args] = childrenOf(child(node, 'args'));
  if (input === undefined) return fail(node, scope, `the filter \`${name}\` has no input`);
  const acceptsUndefined = name === 'default' || name === 'd';
  const value = acceptsUndefined ? evaluate(input, scope) : evaluateDefined(input, scope);
  const values = args.map((arg) => {
    if (arg.typename === 'KeywordArgs') return fail(arg, scope, `\`${name}\` takes no named arguments here`);
    return evaluateDefined(arg, scope);
  });
  try {
    return filter(value, values);
  } catch (thrown) {
    return fail(node, scope, thrown instanceof Error ? thrown.message : String(thrown));
  }
};

const range = (args: readonly TemplateValue[]): readonly number[] | string => {
  if (args.length === 0 || args.length > 3) return '`range` takes one to three numbers';
  if (!args.every((arg): arg is number => Number.isSafeInteger(arg))) return '`range` takes whole numbers';
  const [start, stop, step = 1] = args.length === 1 ? [0, args[0] as number] : (args as number[]);
  const count = Math.max(0, Math.ceil(((stop as number) - (start as number)) / step));
  if (step === 0 || count > maxRange) return `\`range\` makes at most ${maxRange} numbers`;
  return Array.from({ length: count }, (_, index) => (start as number) + index * step);
};

/** Methods of mappings that Jinja templates use; there are no others. */
const mappingMethods: Readonly<Record<string, (mapping: object) => TemplateValue>> = {
  items: (mapping) => Object.entries(mapping),
  keys: (mapping) => Object.keys(mapping),
  values: (mapping) => Object.values(mapping),
};

const call: Evaluator = (node, scope) => {
  const callee = child(node, 'name');
  const args = childrenOf(child(node, 'args')).map((arg) => evaluateDefined(arg, scope));
  if (callee.typename === 'Symbol' && callee.value === 'range') {
    const numbers = range(args);
    return typeof numbers === 'string' ? fail(node, scope, numbers) : numbers;
  }
  const method = callee.typename === 'LookupVal' ? nameOf(child(callee, 'val')) : '';
  if (Object.hasOwn(mappingMethods, method) && args.length === 0) {
    const target = evaluateDefined(child(callee, 'target'), scope);
    if (isMapping(target)) return mappingMethods[method]?.(target) ?? null;
  }
  return fail(node, scope, `\`${nameOf(callee)}\` cannot be called in a recipe`);
};

const dict: Evaluator = (node, scope) => {
  const entries = childrenOf(node).map((pair) => [
    String(
      child(pair, 'key').typename === 'Symbol'
        ? child(pair, 'key').value
        : evaluateDefined(child(pair, 'key'), scope),
    ),
    evaluateDefined(child(pair, 'value'), scope),
  ]);
  return Object.fromEntries(entries) as TemplateValue;
};

const literal: Evaluator = (node, scope) => {
  const value = node.value;
  if (value instanceof RegExp) return fail(node, scope, 'regular expressions are not supported in recipes');
  return (value ?? null) as TemplateValue;
};

const evaluators: Readonly<Record<string, Evaluator>> = {
  Literal: literal,
  Symbol: (node, scope) => {
    const name = String(node.value);
    if (scope.variables.has(name)) return scope.variables.get(name) as TemplateValue;
    return Object.hasOwn(constants, name) ? (constants[name] as TemplateValue) : new Undefined(name);
  },
  Group: (node, scope) => {
    const items = childrenOf(node);
    const only = items[0];
    if (items.length === 1 && only !== undefined) return evaluate(only, scope);
    return items.map((item) => evaluateDefined(item, scope));
  },
  Array: (node, scope) => childrenOf(node).map((item) => evaluateDefined(item, scope)),
  Dict: dict,
  LookupVal: (node, scope) => {
    const target = evaluateDefined(child(node, 'target'), scope);
    return lookUp(target, evaluateDefined(child(node, 'val'), scope), nameOf(node));
  },
  Filter: applyFilter,
  FunCall: call,
  InlineIf: (node, scope) => {
    if (isTrue(evaluateDefined(child(node, 'cond'), scope))) return evaluate(child(node, 'body'), scope);
    const otherwise = node.else_ as ParsedNode | null;
    return otherwise === null ? '' : evaluate(otherwise, scope);
  },
  And: (node, scope) => {
    const left = evaluateDefined(child(node, 'left'), scope);
    return isTrue(left) ? evaluateDefined(child(node, 'right'), scope) : left;
  },
  Or: (node, scope) => {
    const left = evaluateDefined(child(node, 'left'), scope);
    return isTrue(left) ? left : evaluateDefined(child(node, 'right'), scope);
  },
  Not: (node, scope) => !isTrue(evaluateDefined(child(node, 'target'), scope)),
  In: contains,
  Is: test,
  Compare: compare,
  Concat: (node, scope) =>
    toYamlText(evaluateDefined(child(node, 'left'), scope)) +
    toYamlText(evaluateDefined(child(node, 'right'), scope)),
  Add: add,
  Sub: numeric((left, right) => left - right),
  Mul: numeric((left, right) => left * right),
  Div: numeric((left, right) => left / right),
  FloorDiv: numeric((left, right) => Math.floor(left / right)),
  Mod: numeric((left, right) => left - right * Math.floor(left / right)),
  Pow: numeric((left, right) => left ** right),
  Neg: (node, scope) => negate(node, scope),
  Pos: (node, scope) => evaluateDefined(child(node, 'target'), scope),
};

const negate: Evaluator = (node, scope) => {
  const value = evaluateDefined(child(node, 'target'), scope);
  return typeof value === 'number' ? -value : fail(node, scope, 'a number is needed');
};
