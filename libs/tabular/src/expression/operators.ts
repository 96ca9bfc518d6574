import type { Arithmetic, Comparison } from './syntax.ts';
import type { Evaluate, Term, Value } from './term.ts';
import { compareText } from './text.ts';

// Missing values follow SQL: what is computed from a missing value is missing, except where `and` and `or` are
// decided by their other side.

type Decide = (difference: number) => boolean;

const decisions: Readonly<Record<Comparison, Decide>> = {
  '=': (difference) => difference === 0,
  '!=': (difference) => difference !== 0,
  '<': (difference) => difference < 0,
  '<=': (difference) => difference <= 0,
  '>': (difference) => difference > 0,
  '>=': (difference) => difference >= 0,
};

const compareValues = (left: NonNullable<Value>, right: NonNullable<Value>): number => {
  if (typeof left === 'string') return compareText(left, right as string);
  return left < right ? -1 : left === right ? 0 : 1;
};

export const comparison = (operator: Comparison, left: Term, right: Term): Term => {
  const decide = decisions[operator];
  return {
    type: 'boolean',
    sql: `(${left.sql} ${operator} ${right.sql})`,
    bind: combined(left, right, (a, b) => decide(compareValues(a, b))),
  };
};

const arithmeticOf: Readonly<Record<Arithmetic, (left: number, right: number) => number | null>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => (right === 0 ? null : left / right),
  '%': (left, right) => (right === 0 ? null : left % right),
};

export const arithmetic = (operator: Arithmetic, left: Term, right: Term): Term => {
  const divides = operator === '/' || operator === '%';
  const compute = arithmeticOf[operator];
  return {
    type: 'number',
    sql: `(${left.sql} ${operator} ${divides ? `nullif(${right.sql}, 0)` : right.sql})`,
    bind: combined(left, right, (a, b) => compute(a as number, b as number)),
  };
};

export const negation = (operand: Term): Term => ({
  type: 'number',
  sql: `(-${operand.sql})`,
  bind: mapped(operand, (value) => -(value as number)),
});

export const inverse = (operand: Term): Term => ({
  type: 'boolean',
  sql: `(NOT ${operand.sql})`,
  bind: mapped(operand, (value) => !value),
});

/** `and` is decided by a false side, `or` by a true one. */
export const junction = (operator: 'and' | 'or', left: Term, right: Term): Term => {
  const deciding = operator === 'or';
  return {
    type: 'boolean',
    sql: `(${left.sql} ${operator.toUpperCase()} ${right.sql})`,
    bind: (table) => {
      const first = left.bind(table);
      const second = right.bind(table);
      return (row) => {
        const a = first(row);
        if (a === deciding) return deciding;
        const b = second(row);
        if (b === deciding) return deciding;
        return a === null || b === null ? null : !deciding;
      };
    },
  };
};

export const membership = (
  operand: Term,
  items: readonly Term[],
  values: readonly Value[],
  negated: boolean,
): Term => {
  const set = new Set(values);
  return {
    type: 'boolean',
    sql: `(${operand.sql} ${negated ? 'NOT IN' : 'IN'} (${items.map(({ sql }) => sql).join(', ')}))`,
    bind: mapped(operand, (value) => set.has(value) !== negated),
  };
};

export const nullTest = (operand: Term, negated: boolean): Term => ({
  type: 'boolean',
  sql: `(${operand.sql} IS ${negated ? 'NOT ' : ''}NULL)`,
  bind: (table) => {
    const evaluate = operand.bind(table);
    return (row) => (evaluate(row) === null) !== negated;
  },
});

/** The first of the operands that is not missing. */
export const coalesce = (operands: readonly [Term, ...Term[]]): Term => ({
  type: operands[0].type,
  sql: `coalesce(${operands.map(({ sql }) => sql).join(', ')})`,
  bind: (table) => {
    const evaluators = operands.map((operand) => operand.bind(table));
    return (row) => {
      for (const evaluate of evaluators) {
        const value = evaluate(row);
        if (value !== null) return value;
      }
      return null;
    };
  },
});

const mapped =
  (operand: Term, apply: (value: NonNullable<Value>) => Value): Term['bind'] =>
  (table): Evaluate => {
    const evaluate = operand.bind(table);
    return (row) => {
      const value = evaluate(row);
      return value === null ? null : apply(value);
    };
  };

const combined =
  (
    left: Term,
    right: Term,
    apply: (left: NonNullable<Value>, right: NonNullable<Value>) => Value,
  ): Term['bind'] =>
  (table): Evaluate => {
    const first = left.bind(table);
    const second = right.bind(table);
    return (row) => {
      const a = first(row);
      if (a === null) return null;
      const b = second(row);
      return b === null ? null : apply(a, b);
    };
  };
