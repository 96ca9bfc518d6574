import { stripTypeScriptTypes } from 'node:module';
import { Invalid } from '@millrace/errors';
import { type Node, parse } from 'acorn';
import { sha256 } from './digest.ts';

/** What the plan must know of one JavaScript or TypeScript file. */
export interface ScriptFacts {
  /** Digest of what the code does: comments, layout and types leave it alone. */
  readonly digest: string;
  /** Module specifiers as written. */
  readonly imports: readonly string[];
  /** Imports a module whose name is computed, so that any file may be meant. */
  readonly importsComputed: boolean;
}

/** Throws `Invalid` naming the file when it is not valid code. */
export const scriptFacts = (path: string, source: string): ScriptFacts => {
  const script = withoutTypes(path, source);
  const imports: string[] = [];
  let importsComputed = false;
  const canonical = canonicalTree(path, treeOf(path, script), (holder, source) => {
    const specifier = (source as { value?: unknown }).value;
    if (typeof specifier === 'string') imports.push(specifier);
    else if (holder.type === 'ImportExpression') importsComputed = true;
  });
  return { digest: sha256(canonical), imports, importsComputed };
};

/** The tree as text without positions and spellings, calling back for every `source` of an import or export. */
const canonicalTree = (
  path: string,
  tree: Node,
  onSource: (holder: { readonly type?: string }, source: object) => void,
): string => {
  try {
    return JSON.stringify(tree, function (this: { readonly type?: string }, key, value: unknown) {
      if (key === 'start' || key === 'end' || (key === 'raw' && this.type === 'Literal')) return undefined;
      if (key === 'source' && typeof value === 'object' && value !== null) onSource(this, value);
      return typeof value === 'bigint' ? String(value) : value;
    });
  } catch (thrown) {
    if (thrown instanceof RangeError) throw syntaxError(path, 'it is nested too deeply');
    throw thrown;
  }
};

const withoutTypes = (path: string, source: string): string => {
  if (!/\.m?ts$/.test(path)) return source;
  try {
    return stripTypeScriptTypes(source, { mode: 'strip' });
  } catch (thrown) {
    const { message, stack } = thrown as Error;
    // Node tells the line only here: the stack begins with `<file>:<line>`, and the line itself.
    const line = /^[^\n]*:(\d+)\n/.exec(stack ?? '')?.[1];
    throw syntaxError(line === undefined ? path : `${path}:${line}`, message.split('\n')[0] ?? '');
  }
};

const treeOf = (path: string, script: string): Node => {
  try {
    return parse(script, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true });
  } catch (thrown) {
    const { message, loc } = thrown as { message: string; loc?: { line: number; column: number } };
    const place = loc === undefined ? path : `${path}:${loc.line}:${loc.column + 1}`;
    throw syntaxError(place, message.replace(/ \(\d+:\d+\)$/, ''));
  }
};

const syntaxError = (place: string, message: string): Invalid =>
  Invalid.field(place, `is not valid code: ${message}`, {
    hint: 'Step files may use any TypeScript that only adds types: no enums, namespaces or parameter properties.',
  });
