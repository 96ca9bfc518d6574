import { Invalid } from '@millrace/errors';

export type TokenKind = 'number' | 'text' | 'column' | 'word' | 'symbol' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** Decoded: without quotes; words as written, `==` and `<>` in their common forms. */
  readonly value: string;
  /** From 1, in UTF-16 units of the expression. */
  readonly position: number;
}

/** Where an expression stands (`steps.evaluate.slices[0].where`) and what it says, for error messages. */
export interface ExpressionSource {
  readonly path: string;
  readonly text: string;
}

const maxLength = 10_000;

export const syntaxError = (
  source: ExpressionSource,
  position: number,
  message: string,
  hint?: string,
): Invalid =>
  Invalid.field(source.path, `${message} at position ${position} of \`${excerpt(source.text)}\``, {
    ...(hint === undefined ? {} : { hint }),
    details: { position: String(position) },
  });

const excerpt = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text);

const patterns: readonly (readonly [TokenKind, RegExp])[] = [
  ['number', /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y],
  ['text', /'(?:[^']|'')*'/y],
  ['column', /"(?:[^"]|"")*"|`(?:[^`]|``)*`/y],
  ['word', /[\p{L}_][\p{L}\p{M}\p{N}_.]*/uy],
  ['symbol', /==|!=|<>|<=|>=|[=<>+\-*/%(),]/y],
];

const synonyms = new Map([
  ['==', '='],
  ['<>', '!='],
]);

const unquote = (quoted: string): string => {
  const quote = quoted.charAt(0);
  return quoted.slice(1, -1).replaceAll(quote + quote, quote);
};

/** Splits an expression into tokens, the last one of kind `end`. */
export const tokenize = (source: ExpressionSource): readonly Token[] => {
  const { text } = source;
  if (text.length > maxLength) {
    throw Invalid.field(source.path, `the expression is longer than ${maxLength} characters`);
  }
  const tokens: Token[] = [];
  let offset = 0;
  while (true) {
    offset += /^\s*/.exec(text.slice(offset))?.[0].length ?? 0;
    if (offset >= text.length) break;
    const token = tokenAt(source, offset);
    tokens.push(token.token);
    offset = token.end;
  }
  return [...tokens, { kind: 'end', value: '', position: text.length + 1 }];
};

const tokenAt = (source: ExpressionSource, offset: number): { token: Token; end: number } => {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = offset;
    const found = pattern.exec(source.text)?.[0];
    if (found === undefined) continue;
    const quoted = kind === 'text' || kind === 'column';
    const value = quoted ? unquote(found) : (synonyms.get(found) ?? found);
    return { token: { kind, value, position: offset + 1 }, end: offset + found.length };
  }
  const character = source.text.charAt(offset);
  const message = `'"\``.includes(character) ? `unclosed ${character}` : `unexpected "${character}"`;
  throw syntaxError(source, offset + 1, message);
};
