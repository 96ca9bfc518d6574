import { Invalid } from '@millrace/errors';
import { quoteIdentifier, quoteNumber, quoteText } from '../sql.ts';
import { type ColumnSchema, ColumnType, type Table } from '../table.ts';
import { functions } from './functions.ts';
import {
  arithmetic,
  coalesce,
  comparison,
  inverse,
  junction,
  membership,
  negation,
  nullTest,
} from './operators.ts';
import { type Arithmetic, type Comparison, type Expression, parseExpression } from './syntax.ts';
import type { Term, Value, ValueType } from './term.ts';
import { parseTimestamp } from './timestamp.ts';
import { type ExpressionSource, syntaxError } from './tokens.ts';

/** An expression checked against columns. SQL and evaluation in memory give the same values. */
export interface CompiledExpression {
  readonly text: string;
  readonly type: ValueType;
  /** The columns it reads, in order of appearance. */
  readonly columns: readonly string[];
  /** For a statement over a source with these columns; holds no unquoted part of the text. */
  readonly sql: string;
  /** One value per row; timestamps in milliseconds since the epoch. */
  evaluate(table: Table): Value[];
}

type Columns = readonly Pick<ColumnSchema, 'name' | 'type'>[];

/**
 * Parses and type-checks an expression against columns. Throws `Invalid` naming `path` and the position on a syntax
 * error, an unknown column or function, or types that do not go together.
 */
export const compileExpression = (
  text: string,
  columns: Columns,
  path = 'expression',
): CompiledExpression => {
  const compiler = new Compiler({ path, text }, columns);
  const term = compiler.compile(parseExpression(text, path));
  return {
    text,
    type: term.type,
    columns: [...compiler.used],
    sql: term.sql,
    evaluate: (table) => {
      const evaluate = term.bind(table);
      return Array.from({ length: table.rowCount }, (_, row) => evaluate(row));
    },
  };
};

/** As `compileExpression` for what must be true or false: filters, slices, constraints. */
export const compileCondition = (text: string, columns: Columns, path = 'expression'): CompiledExpression => {
  const compiled = compileExpression(text, columns, path);
  if (compiled.type === 'boolean') return compiled;
  throw Invalid.field(path, `\`${text}\` yields a ${compiled.type}, but a condition is needed`, {
    hint: 'Compare it with something, for instance `x > 0`.',
  });
};

/** Indexes of the rows for which the condition is true; false and missing are left out. */
export const rowsWhere = (table: Table, condition: CompiledExpression): number[] =>
  condition.evaluate(table).flatMap((value, row) => (value === true ? [row] : []));

class Compiler {
  readonly used = new Set<string>();
  readonly #source: ExpressionSource;
  readonly #types: ReadonlyMap<string, ColumnType>;

  constructor(source: ExpressionSource, columns: Columns) {
    this.#source = source;
    this.#types = new Map(columns.map(({ name, type }) => [name, type]));
  }

  compile(node: Expression): Term {
    switch (node.kind) {
      case 'literal':
        return literal(node.value);
      case 'column':
        return this.#column(node.name, node.position);
      case 'call':
        return this.#call(node);
      case 'binary':
        return this.#binary(node);
      case 'not':
        return inverse(this.#typed(node.operand, 'boolean'));
      case 'negate':
        return negation(this.#typed(node.operand, 'number'));
      case 'in':
        return this.#membership(node);
      case 'null':
        return nullTest(this.compile(node.operand), node.negated);
    }
  }

  #column(name: string, position: number): Term {
    const type = this.#types.get(name);
    if (type === undefined) throw this.#unknownColumn(name, position);
    this.used.add(name);
    const quoted = quoteIdentifier(name);
    return {
      type: type === ColumnType.integer ? 'number' : type,
      sql: type === ColumnType.integer ? `${quoted}::DOUBLE` : quoted,
      bind: (table) => {
        const values = table.columns.find((column) => column.name === name)?.values;
        if (values === undefined) throw Invalid.field(this.#source.path, `the table has no column "${name}"`);
        return (row) => values[row] ?? null;
      },
    };
  }

  #binary(node: Extract<Expression, { kind: 'binary' }>): Term {
    const { operator, left, right } = node;
    if (operator === 'and' || operator === 'or') {
      return junction(operator, this.#typed(left, 'boolean'), this.#typed(right, 'boolean'));
    }
    if (isArithmetic(operator)) {
      return arithmetic(operator, this.#typed(left, 'number'), this.#typed(right, 'number'));
    }
    return this.#comparison(operator, node);
  }

  #comparison(operator: Comparison, node: Extract<Expression, { kind: 'binary' }>): Term {
    const left = this.compile(node.left);
    const right = this.compile(node.right);
    if (left.type === 'boolean' && operator !== '=' && operator !== '!=') {
      throw this.#error(node.position, `"${operator}" does not apply to true and false`);
    }
    if (left.type === 'timestamp') return comparison(operator, left, this.#likeTimestamp(node.right, right));
    if (right.type === 'timestamp') return comparison(operator, this.#likeTimestamp(node.left, left), right);
    if (left.type === right.type) return comparison(operator, left, right);
    throw this.#error(node.position, `cannot compare a ${left.type} with a ${right.type}`);
  }

  /** Text literals are read as points in time where they meet a timestamp. */
  #likeTimestamp(node: Expression, term: Term): Term {
    if (term.type === 'timestamp') return term;
    if (node.kind !== 'literal' || typeof node.value !== 'string') {
      throw this.#error(node.position, `cannot compare a timestamp with a ${term.type}`);
    }
    const time = parseTimestamp(node.value);
    if (time === undefined) {
      throw this.#error(
        node.position,
        `"${node.value}" is not a date or time`,
        "Write '2013-06-01' or '2013-06-01T12:30:00Z'.",
      );
    }
    return {
      type: 'timestamp',
      sql: `make_timestamp(${Math.round(time * 1000)})`,
      bind: () => () => time,
    };
  }

  #membership(node: Extract<Expression, { kind: 'in' }>): Term {
    const operand = this.compile(node.operand);
    const items = node.items.map((item) => {
      if (constantOf(item) === undefined) throw this.#error(item.position, 'a list holds only constants');
      const term = this.compile(item);
      const fitting = operand.type === 'timestamp' ? this.#likeTimestamp(item, term) : term;
      if (fitting.type === operand.type) return fitting;
      throw this.#error(item.position, `the list must hold ${operand.type} values, found a ${term.type}`);
    });
    const empty: Table = { rowCount: 0, columns: [] };
    const values = items.map((item) => item.bind(empty)(0));
    return membership(operand, items, values, node.negated);
  }

  #call(node: Extract<Expression, { kind: 'call' }>): Term {
    if (node.name === 'coalesce') return this.#coalesce(node);
    const found = Object.hasOwn(functions, node.name) ? functions[node.name] : undefined;
    if (found === undefined) {
      throw this.#error(
        node.position,
        `unknown function "${node.name}"`,
        `Functions: ${[...Object.keys(functions), 'coalesce'].join(', ')}.`,
      );
    }
    const { parameters, result, sql } = found;
    if (node.arguments.length !== parameters.length) {
      const wanted = `${parameters.length} value${parameters.length === 1 ? '' : 's'}`;
      throw this.#error(node.position, `${node.name} takes ${wanted}, found ${node.arguments.length}`);
    }
    const apply = found.apply as (...values: NonNullable<Value>[]) => Value;
    const terms = node.arguments.map((argument, index) =>
      this.#typed(argument, parameters[index] as ValueType),
    );
    return {
      type: result,
      sql: sql(...terms.map((term) => term.sql)),
      bind: (table) => {
        const evaluators = terms.map((term) => term.bind(table));
        return (row) => {
          const values = evaluators.map((evaluate) => evaluate(row));
          return values.includes(null) ? null : apply(...(values as NonNullable<Value>[]));
        };
      },
    };
  }

  #coalesce(node: Extract<Expression, { kind: 'call' }>): Term {
    const [first, ...rest] = node.arguments;
    if (first === undefined) throw this.#error(node.position, 'coalesce takes at least one value');
    const head = this.compile(first);
    return coalesce([head, ...rest.map((argument) => this.#typed(argument, head.type))]);
  }

  #typed(node: Expression, wanted: ValueType): Term {
    const term = this.compile(node);
    if (term.type === wanted) return term;
    throw this.#error(node.position, `expected a ${wanted}, found a ${term.type}`);
  }

  #unknownColumn(name: string, position: number): Error {
    const known = [...this.#types.keys()];
    const shown = known.length > 30 ? [...known.slice(0, 30), '…'] : known;
    return this.#error(
      position,
      `unknown column "${name}"`,
      `Columns: ${shown.join(', ')}. Text stands in single quotes: '${name}'.`,
    );
  }

  #error(position: number, message: string, hint?: string): Error {
    return syntaxError(this.#source, position, message, hint);
  }
}

const isArithmetic = (operator: string): operator is Arithmetic =>
  ['+', '-', '*', '/', '%'].includes(operator);

/** The value of a constant, a negative number included. */
const constantOf = (node: Expression): number | string | boolean | undefined => {
  if (node.kind === 'literal') return node.value;
  if (node.kind !== 'negate') return undefined;
  return node.operand.kind === 'literal' && typeof node.operand.value === 'number'
    ? -node.operand.value
    : undefined;
};

const literal = (value: number | string | boolean): Term => ({
  type: typeof value === 'number' ? 'number' : typeof value === 'string' ? 'string' : 'boolean',
  sql: literalSql(value),
  bind: () => () => value,
});

const literalSql = (value: number | string | boolean): string => {
  if (typeof value === 'number') return quoteNumber(value);
  return typeof value === 'string' ? quoteText(value) : String(value);
};
