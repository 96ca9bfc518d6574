/** A string literal with its prefix, or a comment; anything else is left alone. */
const literalOrComment =
  /[A-Za-z]{0,2}(?:"""(?:\\[\s\S]|[^\\])*?"""|'''(?:\\[\s\S]|[^\\])*?'''|"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*')|#[^\n]*/g;

/**
 * Python source without comments, docstrings, blank lines and white space at line ends; indentation means something
 * and stays.
 */
export const withoutPythonComments = (source: string): string => {
  const literals: string[] = [];
  // Literals are set aside, so that white space inside them is not touched.
  const bare = source.replace(literalOrComment, (match) => {
    if (match.startsWith('#')) return '';
    literals.push(match);
    return `\uE000${literals.length - 1}\uE001`;
  });
  const lines = bare
    .split(/\r?\n/)
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
  return lines
    .filter((line, index) => !isDocstring(line, lines[index - 1], literals))
    .join('\n')
    .replace(/\uE000(\d+)\uE001/g, (_, index) => literals[Number(index)] ?? '');
};

/** Beginning of a definition that ends on its line, or the last line of one that does not. */
const definitionLine = /^\s*(?:(?:async\s+def|def|class)\b.*|\).*):$/;

/** Whether a line is nothing but a text in triple quotes that begins a file, a function or a class. */
const isDocstring = (line: string, before: string | undefined, literals: readonly string[]): boolean => {
  const literal = literals[Number(/^\s*\uE000(\d+)\uE001$/.exec(line)?.[1])];
  if (literal === undefined || !/^[rRuU]?("""|''')/.test(literal)) return false;
  return before === undefined || definitionLine.test(before);
};

const importLine =
  /^[ \t]*(?:from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]+\(?([^)\n#]*)|import[ \t]+([^\n#]+))/gm;

/** Paths that the imports of a Python file could mean; the caller keeps those that exist. */
export const pythonImportCandidates = (path: string, source: string): readonly string[] => {
  const folder = path.split('/').slice(0, -1);
  return [...source.matchAll(importLine)].flatMap(([, dots = '', module = '', names = '', plain = '']) => {
    if (plain !== '') return firstWords(plain).flatMap((name) => modulePaths(name.split('.'), [[], folder]));
    const base = module === '' ? [] : module.split('.');
    const roots = dots === '' ? [[], folder] : [folder.slice(0, folder.length - (dots.length - 1))];
    const members = firstWords(names).map((name) => [...base, name]);
    return [base, ...members].flatMap((parts) => modulePaths(parts, roots));
  });
};

const firstWords = (list: string): readonly string[] =>
  list
    .split(',')
    .map((item) => item.trim().split(/\s/)[0] ?? '')
    .filter((name) => /^[\w.]+$/.test(name));

const modulePaths = (parts: readonly string[], roots: readonly (readonly string[])[]): readonly string[] =>
  roots.flatMap((root) => {
    const module = [...root, ...parts].join('/');
    const packages = parts.map((_, depth) =>
      [...root, ...parts.slice(0, depth + 1), '__init__.py'].join('/'),
    );
    return [`${module}.py`, ...packages];
  });
