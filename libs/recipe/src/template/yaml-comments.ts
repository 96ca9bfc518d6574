/**
 * MLflow cut every line at `#`, so projects carry comments with template tags whose variables no longer exist.
 * Tags inside YAML comments must therefore stay text, while `#` inside quotes must stay content (MLflow cut it).
 */

/** Stands for `{` inside a comment while the template is parsed; from Unicode's private use area. */
const hiddenBrace = '\uE000';

const quotedScalarMayFollow = /(?:^|[:\-[{,?])\s*$/;

/** Hides template tags that stand in YAML comments; keeps every offset. */
export const hideTagsInComments = (source: string): string => {
  let result = '';
  let at = 0;
  while (at < source.length) {
    const end = endOfUnit(source, at);
    const unit = source.slice(at, end);
    result += startsComment(source, at) ? unit.replaceAll('{', hiddenBrace) : unit;
    at = end;
  }
  return result;
};

/** Undoes `hideTagsInComments` in the rendered text; keeps every offset. */
export const restoreTags = (rendered: string): string => rendered.replaceAll(hiddenBrace, '{');

/** After white space, or right after a quoted scalar. */
const startsComment = (source: string, at: number): boolean =>
  source[at] === '#' && (at === 0 || /[\s"']/.test(source[at - 1] ?? ''));

/** Where the comment, template tag, quoted scalar or single character that begins at `at` ends. */
const endOfUnit = (source: string, at: number): number => {
  if (startsComment(source, at)) return indexOr(source, '\n', at, 0);
  const pair = source.slice(at, at + 2);
  const close = { '{{': '}}', '{%': '%}', '{#': '#}' }[pair];
  if (close !== undefined) return indexOr(source, close, at + 2, 2);
  const quote = source[at];
  if ((quote === '"' || quote === "'") && opensScalar(source, at)) return endOfQuoted(source, at, quote);
  return at + 1;
};

const indexOr = (source: string, search: string, from: number, extra: number): number => {
  const found = source.indexOf(search, from);
  return found === -1 ? source.length : found + extra;
};

const opensScalar = (source: string, at: number): boolean => {
  const lineStart = source.lastIndexOf('\n', at - 1) + 1;
  return quotedScalarMayFollow.test(source.slice(Math.max(lineStart, at - 200), at));
};

const endOfQuoted = (source: string, at: number, quote: string): number => {
  for (let next = at + 1; next < source.length; next += 1) {
    const character = source[next];
    if (character === '\\' && quote === '"') next += 1;
    else if (character === quote) return next + 1;
  }
  return at + 1;
};
