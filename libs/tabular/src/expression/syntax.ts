import { type ExpressionSource, syntaxError, type Token, type TokenKind, tokenize } from './tokens.ts';

/** The syntax tree; `position` is where the part begins, from 1. */
export type Expression =
  | { readonly kind: 'literal'; readonly position: number; readonly value: number | string | boolean }
  | { readonly kind: 'column'; readonly position: number; readonly name: string }
  | {
      readonly kind: 'call';
      readonly position: number;
      readonly name: string;
      readonly arguments: readonly Expression[];
    }
  | {
      readonly kind: 'binary';
      readonly position: number;
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'not' | 'negate'; readonly position: number; readonly operand: Expression }
  | {
      readonly kind: 'in';
      readonly position: number;
      readonly negated: boolean;
      readonly operand: Expression;
      readonly items: readonly Expression[];
    }
  | {
      readonly kind: 'null';
      readonly position: number;
      readonly negated: boolean;
      readonly operand: Expression;
    };

export type BinaryOperator = 'and' | 'or' | Comparison | Arithmetic;
export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=';
export type Arithmetic = '+' | '-' | '*' | '/' | '%';

const keywords = new Set(['and', 'or', 'not', 'in', 'is', 'null', 'between', 'true', 'false']);
const comparisons: readonly string[] = ['=', '!=', '<', '<=', '>', '>='];
const maxDepth = 100;
const maxOperators = 500;

/**
 * Parses the row expression language:
 *
 *     price > 10 and (origin in ('JFK', 'LGA') or carrier is null) and year(time) = 2013
 *
 * Loosest first: `or`, `and`, `not`, comparisons (`= != < <= > >= in between is null`), `+ -`, `* / %`, unary `-`.
 * Text stands in single quotes; a column whose name is no plain word in double quotes or backticks. Throws
 * `Invalid` naming the position.
 */
export const parseExpression = (text: string, path = 'expression'): Expression => {
  const source = { path, text };
  const parser = new Parser(source, tokenize(source));
  return parser.whole();
};

class Parser {
  readonly #source: ExpressionSource;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;
  #operators = 0;

  constructor(source: ExpressionSource, tokens: readonly Token[]) {
    this.#source = source;
    this.#tokens = tokens;
  }

  whole(): Expression {
    if (this.#peek().kind === 'end') throw this.#error('the expression is empty');
    const expression = this.#or();
    if (this.#peek().kind !== 'end') throw this.#unexpected('an operator or the end');
    return expression;
  }

  #or(): Expression {
    return this.#chain(['or'], () => this.#and());
  }

  #and(): Expression {
    return this.#chain(['and'], () => this.#not());
  }

  #not(): Expression {
    const { position } = this.#peek();
    if (!this.#takeWord('not')) return this.#comparison();
    return this.#deeper(() => ({ kind: 'not', position, operand: this.#not() }));
  }

  #comparison(): Expression {
    const operand = this.#sum();
    const { position, value, kind } = this.#peek();
    if (kind === 'symbol' && comparisons.includes(value)) {
      this.#next++;
      const right = this.#sum();
      return { kind: 'binary', position, operator: value as Comparison, left: operand, right };
    }
    if (this.#takeWord('is')) return this.#nullTest(operand, position);
    const negated = this.#takeWord('not');
    if (this.#takeWord('in')) return { kind: 'in', position, negated, operand, items: this.#list() };
    if (this.#takeWord('between')) return this.#between(operand, position, negated);
    if (negated) throw this.#unexpected('"in" or "between"');
    return operand;
  }

  #nullTest(operand: Expression, position: number): Expression {
    const negated = this.#takeWord('not');
    if (!this.#takeWord('null')) throw this.#unexpected('"null"');
    return { kind: 'null', position, negated, operand };
  }

  #between(operand: Expression, position: number, negated: boolean): Expression {
    const low = this.#sum();
    if (!this.#takeWord('and')) throw this.#unexpected('"and"');
    const high = this.#sum();
    const both: Expression = {
      kind: 'binary',
      position,
      operator: 'and',
      left: { kind: 'binary', position, operator: '>=', left: operand, right: low },
      right: { kind: 'binary', position, operator: '<=', left: operand, right: high },
    };
    return negated ? { kind: 'not', position, operand: both } : both;
  }

  #sum(): Expression {
    return this.#chain(['+', '-'], () => this.#product());
  }

  #product(): Expression {
    return this.#chain(['*', '/', '%'], () => this.#unary());
  }

  #unary(): Expression {
    const { position } = this.#peek();
    if (!this.#takeSymbol('-')) return this.#primary();
    return this.#deeper(() => ({ kind: 'negate', position, operand: this.#unary() }));
  }

  #primary(): Expression {
    const { kind, value, position } = this.#peek();
    if (this.#takeSymbol('(')) {
      const inner = this.#deeper(() => this.#or());
      this.#expectSymbol(')');
      return inner;
    }
    if (kind === 'word') return this.#named();
    if (kind === 'number') return this.#taken({ kind: 'literal', position, value: Number(value) });
    if (kind === 'text') return this.#taken({ kind: 'literal', position, value });
    if (kind === 'column') return this.#taken({ kind: 'column', position, name: value });
    throw this.#unexpected('a value or a column');
  }

  #named(): Expression {
    const { value, position } = this.#peek();
    const keyword = value.toLowerCase();
    if (keyword === 'true' || keyword === 'false') {
      return this.#taken({ kind: 'literal', position, value: keyword === 'true' });
    }
    if (keyword === 'null') throw this.#error('"null" can only be tested for', 'Write `is null`.');
    if (keywords.has(keyword)) throw this.#unexpected('a value or a column');
    this.#next++;
    if (!this.#isSymbol('(')) return { kind: 'column', position, name: value };
    return { kind: 'call', position, name: keyword, arguments: this.#list() };
  }

  #list(): Expression[] {
    this.#expectSymbol('(');
    const items = this.#deeper(() => {
      const found = [this.#or()];
      while (this.#takeSymbol(',')) found.push(this.#or());
      return found;
    });
    this.#expectSymbol(')');
    return items;
  }

  #chain(operators: readonly BinaryOperator[], operand: () => Expression): Expression {
    let left = operand();
    while (true) {
      const { position } = this.#peek();
      const operator = operators.find((one) => this.#takeSymbol(one) || this.#takeWord(one));
      if (operator === undefined) return left;
      if (++this.#operators > maxOperators) throw this.#error(`more than ${maxOperators} operators`);
      left = { kind: 'binary', position, operator, left, right: operand() };
    }
  }

  /** Bounds the recursion, here and in everything that walks the tree. */
  #deeper<T>(parse: () => T): T {
    if (++this.#depth > maxDepth) throw this.#error(`nested more than ${maxDepth} levels deep`);
    const result = parse();
    this.#depth--;
    return result;
  }

  #peek(): Token {
    const token = this.#tokens[this.#next];
    if (token === undefined) throw new Error('read past the end of the expression');
    return token;
  }

  #taken(expression: Expression): Expression {
    this.#next++;
    return expression;
  }

  #is(kind: TokenKind, value: string): boolean {
    const token = this.#peek();
    return token.kind === kind && (kind === 'word' ? token.value.toLowerCase() : token.value) === value;
  }

  #isSymbol(symbol: string): boolean {
    return this.#is('symbol', symbol);
  }

  #takeSymbol(symbol: string): boolean {
    if (!this.#isSymbol(symbol)) return false;
    this.#next++;
    return true;
  }

  #takeWord(word: string): boolean {
    if (!this.#is('word', word)) return false;
    this.#next++;
    return true;
  }

  #expectSymbol(symbol: string): void {
    if (!this.#takeSymbol(symbol)) throw this.#unexpected(`"${symbol}"`);
  }

  #unexpected(wanted: string): Error {
    const { kind, value } = this.#peek();
    return this.#error(`expected ${wanted}, found ${kind === 'end' ? 'the end' : `"${value}"`}`);
  }

  #error(message: string, hint?: string): Error {
    return syntaxError(this.#source, this.#peek().position, message, hint);
  }
}
