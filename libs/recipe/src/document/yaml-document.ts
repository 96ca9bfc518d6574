import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  type Node,
  parseDocument,
} from 'yaml';
import { type Rendered, type RenderOptions, renderTemplate } from '../template/render.ts';
import { LineIndex, type TextPosition } from './text-position.ts';

/** From the root of a document to one of its values: keys and list indexes. */
export type Path = readonly (string | number)[];

/** Something wrong at a place of a file. */
export interface Finding {
  readonly file: string;
  readonly position: TextPosition;
  /** Path of the field; empty when the finding is about the file as text. */
  readonly path: string;
  readonly message: string;
}

export type Mapping = Readonly<Record<string, unknown>>;

/** A YAML file that was a template, with the way back from every value to its place in the file. */
export interface SourceDocument {
  readonly file: string;
  readonly content: Mapping;
  /** Where the value at `path` stands, or its key; the nearest ancestor where there is no such value. */
  locate(path: Path, part: 'key' | 'value'): TextPosition;
}

export type ParsedFile =
  | { readonly document: SourceDocument; readonly findings: readonly [] }
  | { readonly document: undefined; readonly findings: readonly Finding[] };

/** Longest recipe or profile, in characters. */
const maxLength = 262_144;
const maxAliases = 100;

/** Renders and parses one file; findings are all that is wrong with it as a template and as YAML. */
export const parseTemplatedYaml = (file: string, source: string, options: RenderOptions): ParsedFile => {
  const lines = new LineIndex(source);
  const finding = (offset: number, message: string): Finding => ({
    file,
    position: lines.position(Math.min(offset, source.length)),
    path: '',
    message,
  });
  const failed = (findings: readonly Finding[]): ParsedFile => ({ document: undefined, findings });

  if (source.length > maxLength) return failed([finding(0, `is longer than ${maxLength} characters`)]);
  const rendered = renderTemplate(source, options);
  if (rendered.faults.length > 0) {
    return failed(rendered.faults.map((fault) => finding(fault.offset, fault.message)));
  }
  const parsed = parse(rendered.text);
  if (parsed.problems.length > 0) {
    return failed(
      parsed.problems.map(({ offset, message }) => finding(rendered.sourceOffset(offset), message)),
    );
  }
  return { document: new ParsedSource(file, source, lines, rendered, parsed), findings: [] };
};

interface Problem {
  readonly offset: number;
  readonly message: string;
}

/** `"value"# note`: MLflow cut lines at `#` before YAML saw them, so projects may have it; the value is read rightly. */
const touchingComment = 'Comments must be separated from other tokens';

interface ParsedYaml {
  readonly tree: Document | undefined;
  readonly content: Mapping;
  readonly problems: readonly Problem[];
}

const parse = (text: string): ParsedYaml => {
  try {
    const tree = parseDocument(text, {
      uniqueKeys: true,
      merge: true,
      prettyErrors: false,
      logLevel: 'error',
    });
    const grave = tree.errors.filter(({ message }) => !message.startsWith(touchingComment));
    const problems = [...grave, ...tree.warnings].map((error) => ({
      offset: error.pos[0],
      message: readable(error.message),
    }));
    if (problems.length > 0) return { tree, content: {}, problems };
    const content: unknown = tree.toJS({ maxAliasCount: maxAliases }) ?? {};
    if (typeof content === 'object' && !Array.isArray(content)) {
      return { tree, content: content as Mapping, problems: [] };
    }
    return { tree, content: {}, problems: [{ offset: 0, message: 'must be a mapping of keys to values' }] };
  } catch (thrown) {
    const message = thrown instanceof RangeError ? 'is nested too deeply' : (thrown as Error).message;
    return { tree: undefined, content: {}, problems: [{ offset: 0, message }] };
  }
};

/** The words of the YAML library, in the reader's terms. */
const readable = (message: string): string =>
  message === 'Map keys must be unique' ? 'this key stands here twice' : `YAML: ${message}`;

class ParsedSource implements SourceDocument {
  readonly file: string;
  readonly content: Mapping;
  readonly #source: string;
  readonly #lines: LineIndex;
  readonly #rendered: Rendered;
  readonly #tree: Document | undefined;

  constructor(file: string, source: string, lines: LineIndex, rendered: Rendered, parsed: ParsedYaml) {
    this.file = file;
    this.content = parsed.content;
    this.#source = source;
    this.#lines = lines;
    this.#rendered = rendered;
    this.#tree = parsed.tree;
  }

  locate(path: Path, part: 'key' | 'value'): TextPosition {
    let offset = 0;
    let node: unknown = this.#tree?.contents;
    for (const [depth, segment] of path.entries()) {
      const step = descend(this.#resolve(node), segment);
      if (step === undefined) break;
      const wantsKey = part === 'key' && depth === path.length - 1;
      offset = startOf(wantsKey ? step.key : (step.value ?? step.key)) ?? startOf(step.key) ?? offset;
      node = step.value;
    }
    return this.#lines.position(Math.min(this.#rendered.sourceOffset(offset), this.#source.length));
  }

  #resolve(node: unknown): unknown {
    return isAlias(node) && this.#tree !== undefined ? node.resolve(this.#tree) : node;
  }
}

interface Step {
  readonly key: unknown;
  readonly value: unknown;
}

const descend = (node: unknown, segment: string | number): Step | undefined => {
  if (isSeq(node)) {
    const item = node.items[Number(segment)];
    return isNode(item) ? { key: item, value: item } : undefined;
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find(
    (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(segment),
  );
  return pair === undefined ? undefined : { key: pair.key, value: pair.value };
};

const startOf = (node: unknown): number | undefined => {
  if (!isNode(node)) return undefined;
  const found: Node = node;
  return found.range?.[0];
};
