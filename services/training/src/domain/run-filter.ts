import { Invalid } from '@millrace/errors';
import type { FieldRef, Filter, Query } from '@millrace/store';

type Comparison = 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte';

const comparisons: Readonly<Record<string, Comparison>> = {
  '=': 'eq',
  '==': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'lte',
  '>': 'gt',
  '>=': 'gte',
};

/** Attributes of a run by the names that filters and orders know them under. */
const attributes: Readonly<Record<string, string>> = {
  status: 'status',
  run_id: '$key',
  run_name: 'name',
  name: 'name',
  start_time: 'startedAt',
  started_at: 'startedAt',
  end_time: 'finishedAt',
  finished_at: 'finishedAt',
  pipeline_run_id: 'pipelineRunId',
  parent_run_id: 'parentRunId',
  dataset_version_id: 'datasetVersionId',
  model_digest: 'modelDigest',
};

const maps: Readonly<Record<string, string>> = {
  metrics: 'metrics',
  metric: 'metrics',
  params: 'params',
  param: 'params',
  parameters: 'params',
  tags: 'tags',
  tag: 'tags',
};

type Token = {
  readonly kind: 'word' | 'text' | 'number' | 'symbol';
  readonly text: string;
  readonly at: number;
};

const grammar =
  /\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(-?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(?![\w.])|((?:[A-Za-z_][\w/-]*)(?:\.(?:[\w/-]+|`[^`]+`|"[^"]+"))*)|(!=|<=|>=|==|[=<>(),]))/iy;

const tokensOf = (filter: string): Token[] => {
  const tokens: Token[] = [];
  let at = 0;
  while (filter.slice(at).trim() !== '') {
    grammar.lastIndex = at;
    const match = grammar.exec(filter);
    if (match === null) throw wrong(at, `"${filter.slice(at, at + 20).trim()}" is not understood`);
    const [whole, single, double, number, word, symbol] = match;
    at += whole.length - whole.trimStart().length;
    const text = single ?? double;
    if (text !== undefined) tokens.push({ kind: 'text', text: text.replace(/\\(.)/g, '$1'), at });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number, at });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word, at });
    else tokens.push({ kind: 'symbol', text: symbol ?? '', at });
    at += whole.trimStart().length;
  }
  return tokens;
};

const wrong = (at: number, message: string): Invalid =>
  Invalid.field('filter', `${message} (position ${at + 1})`, {
    hint: "For instance: metrics.val_f1_score > 0.8 and params.using = 'linear/ridge' and status = 'FINISHED'.",
  });

/**
 * Parses MLflow's search syntax: comparisons (`=`, `!=`, `<`, `<=`, `>`, `>=`, `LIKE 'prefix%'`, `IN ('a', 'b')`)
 * of `metrics.`, `params.`, `tags.` and attributes, joined by `and`. Throws `Invalid` naming the position.
 */
export const parseRunFilter = (filter: string): Filter | undefined => {
  const tokens = tokensOf(filter);
  if (tokens.length === 0) return undefined;
  const reader = new Reader(tokens, filter.length);
  const conditions = [condition(reader)];
  while (reader.more) {
    reader.keyword('and');
    conditions.push(condition(reader));
  }
  return conditions.length === 1 ? conditions[0] : { and: conditions };
};

class Reader {
  readonly #tokens: readonly Token[];
  readonly #end: number;
  #position = 0;

  constructor(tokens: readonly Token[], end: number) {
    this.#tokens = tokens;
    this.#end = end;
  }

  get more(): boolean {
    return this.#position < this.#tokens.length;
  }

  next(what: string): Token {
    const token = this.#tokens[this.#position];
    if (token === undefined) throw wrong(this.#end, `${what} is missing`);
    this.#position += 1;
    return token;
  }

  keyword(word: string): void {
    const token = this.next(`"${word}"`);
    if (token.kind !== 'word' || token.text.toLowerCase() !== word)
      throw wrong(token.at, `expected "${word}", found "${token.text}"`);
  }
}

const condition = (reader: Reader): Filter => {
  const name = reader.next('a field');
  if (name.kind !== 'word') throw wrong(name.at, `"${name.text}" is not a field`);
  const field = fieldOf(name.text, name.at);
  const operator = reader.next('an operator');
  const word = operator.text.toLowerCase();
  if (word === 'like') return like(field, reader.next('a text'));
  if (word === 'in') return { field, op: 'in', value: list(field, reader) };
  const op = operator.kind === 'symbol' ? comparisons[operator.text] : undefined;
  if (op === undefined) throw wrong(operator.at, `"${operator.text}" is not an operator`);
  return { field, op, value: valueOfToken(field, reader.next('a value')) };
};

const isMetric = (field: FieldRef): boolean => typeof field !== 'string' && field[0] === 'metrics';

const valueOfToken = (field: FieldRef, token: Token): string | number => {
  if (isMetric(field)) {
    if (token.kind !== 'number') throw wrong(token.at, 'a metric is compared with a number');
    return Number(token.text);
  }
  if (token.kind !== 'text') throw wrong(token.at, 'is compared with a quoted text');
  return field === 'status' ? statusValue(token.text) : token.text;
};

/** `FINISHED` and `RUN_STATUS_FINISHED` both are understood. */
const statusValue = (text: string): string =>
  text.startsWith('RUN_STATUS_') ? text : `RUN_STATUS_${text.toUpperCase()}`;

const like = (field: FieldRef, token: Token): Filter => {
  const prefix = token.text.endsWith('%') ? token.text.slice(0, -1) : undefined;
  if (token.kind !== 'text' || prefix === undefined || prefix.includes('%')) {
    throw wrong(token.at, "LIKE takes a prefix: 'abc%'");
  }
  return { field, op: 'prefix', value: prefix };
};

const list = (field: FieldRef, reader: Reader): (string | number)[] => {
  const open = reader.next('"("');
  if (open.text !== '(') throw wrong(open.at, 'expected "("');
  const values: (string | number)[] = [];
  for (;;) {
    values.push(valueOfToken(field, reader.next('a value')));
    const separator = reader.next('")"');
    if (separator.text === ')') return values;
    if (separator.text !== ',') throw wrong(separator.at, 'expected "," or ")"');
  }
};

const fieldOf = (name: string, at: number): FieldRef => {
  const dot = name.indexOf('.');
  const attribute = name.replace(/^(attributes?|attr|run)\./, '');
  if (dot < 0 || attribute !== name) {
    const path = attributes[attribute.toLowerCase()];
    if (path === undefined)
      throw wrong(
        at,
        `"${name}" is not a field; there are metrics., params., tags. and ${Object.keys(attributes).join(', ')}`,
      );
    return path;
  }
  const map = maps[name.slice(0, dot).toLowerCase()];
  if (map === undefined) throw wrong(at, `"${name}" is not a field`);
  return [map, name.slice(dot + 1).replace(/^[`"]|[`"]$/g, '')];
};

/** Parses `metrics.val_f1_score desc`; empty is newest first. Throws `Invalid`. */
export const parseRunOrder = (orderBy: string): NonNullable<Query['sort']> => {
  if (orderBy.trim() === '') return { field: 'startedAt', direction: 'desc' };
  const match = /^\s*(\S+?)(?:\s+(asc|desc))?\s*$/i.exec(orderBy);
  if (match === null) throw Invalid.field('order_by', 'must be a field and asc or desc');
  const direction = match[2]?.toLowerCase() === 'desc' ? 'desc' : 'asc';
  try {
    return { field: fieldOf(match[1] ?? '', 0), direction };
  } catch (cause) {
    throw Invalid.field('order_by', `"${match[1]}" is not a field`, {
      cause,
      hint: 'For instance: metrics.val_r2_score desc.',
    });
  }
};
