import nunjucks, { type ParsedNode } from 'nunjucks';
import { LineIndex } from '../document/text-position.ts';
import { type EvaluationScope, evaluate, evaluateDefined } from './evaluate.ts';
import { TemplateFault, TemplateLimit } from './fault.ts';
import { standardFilters, type TemplateFilter } from './filters.ts';
import { MappedText } from './source-map.ts';
import {
  isList,
  isMapping,
  isTrue,
  type TemplateMapping,
  type TemplateValue,
  toYamlText,
  Undefined,
} from './values.ts';
import { hideTagsInComments, restoreTags } from './yaml-comments.ts';

export interface RenderOptions {
  readonly variables: TemplateMapping;
  /** Text of a file of the project for `from_json`; undefined when there is none. */
  readFile(path: string): string | undefined;
}

export interface Rendered {
  readonly text: string;
  /** Everything found wrong; the text is of use only when there is none. */
  readonly faults: readonly TemplateFault[];
  /** From an offset in `text` to the offset in the template that produced it. */
  sourceOffset(offset: number): number;
}

/** Parts of values looked at, in all; a real recipe needs a few hundred. */
const maxWork = 200_000;
/** Characters. */
const maxOutput = 1_000_000;

/**
 * Renders a Jinja template. nunjucks parses it; the tree is interpreted here rather than compiled to
 * JavaScript, as a project's files may come from anybody: an expression reaches own fields of plain data and
 * a fixed list of filters, nothing else. Undefined names are faults, all of them reported.
 */
export const renderTemplate = (source: string, options: RenderOptions): Rendered => {
  const hidden = hideTagsInComments(source);
  const renderer = new Renderer(hidden, options);
  renderer.run();
  return {
    text: restoreTags(renderer.output.text),
    faults: renderer.faults,
    sourceOffset: (offset) => renderer.output.sourceOffset(offset),
  };
};

class Renderer {
  readonly output = new MappedText();
  readonly faults: TemplateFault[] = [];
  readonly #source: string;
  readonly #lines: LineIndex;
  readonly #variables: Map<string, TemplateValue>;
  readonly #scope: EvaluationScope;
  readonly #statements: Readonly<Record<string, (node: ParsedNode) => void>> = {
    Output: (node) => this.#renderOutput(node),
    NodeList: (node) => this.#renderChildren(node),
    Root: (node) => this.#renderChildren(node),
    If: (node) => this.#renderIf(node),
    For: (node) => this.#renderFor(node),
    Set: (node) => this.#assign(node),
  };
  #spent = 0;

  constructor(source: string, options: RenderOptions) {
    this.#source = source;
    this.#lines = new LineIndex(source);
    this.#variables = new Map(Object.entries(options.variables));
    const spent = () => this.#spent;
    this.#scope = {
      variables: this.#variables,
      filters: { ...standardFilters, from_json: fromJson(options) },
      offsetOf: (node) => this.#lines.offset(node.lineno, node.colno),
      spend: (node, work) => this.#spend(node, work),
      get budget() {
        return maxWork - spent();
      },
    };
  }

  run(): void {
    try {
      this.#renderNode(this.#parse());
    } catch (thrown) {
      if (thrown instanceof TemplateFault) this.faults.push(thrown);
      else if (thrown instanceof RangeError) this.faults.push(new TemplateFault(0, 'is nested too deeply'));
      else throw thrown;
    }
  }

  #parse(): ParsedNode {
    try {
      return nunjucks.parser.parse(this.#source, [], {});
    } catch (thrown) {
      if (thrown instanceof RangeError) throw thrown;
      throw this.#syntaxFault(thrown);
    }
  }

  #syntaxFault(thrown: unknown): TemplateFault {
    const { lineno, colno, message } = thrown as { lineno?: number; colno?: number; message?: string };
    // nunjucks has already counted the line and column of its own errors from 1.
    const offset = this.#lines.offset(Math.max(0, (lineno ?? 1) - 1), Math.max(0, (colno ?? 1) - 1));
    const text = String(message ?? thrown)
      .replace(/^\w+: /, '')
      .replace(/^Template render error: /, '');
    return new TemplateFault(Math.min(offset, this.#source.length), `template syntax: ${text}`);
  }

  #spend(node: ParsedNode, work: number): void {
    this.#spent += work;
    if (this.#spent > maxWork || this.output.length > maxOutput) {
      throw new TemplateLimit(this.#lines.offset(node.lineno, node.colno), 'the template does too much work');
    }
  }

  #renderChildren(node: ParsedNode): void {
    for (const item of node.children as readonly ParsedNode[]) this.#guard(() => this.#renderNode(item));
  }

  #renderNode(node: ParsedNode): void {
    this.#spend(node, 1);
    const render = this.#statements[node.typename];
    if (render === undefined) {
      const name = node.typename.toLowerCase();
      throw new TemplateFault(this.#scope.offsetOf(node), `{% ${name} %} is not supported in recipes`);
    }
    render(node);
  }

  /** Goes on after a fault, so that one look shows all of them; a limit ends the rendering. */
  #guard(render: () => void): void {
    try {
      render();
    } catch (thrown) {
      if (!(thrown instanceof TemplateFault) || thrown instanceof TemplateLimit) throw thrown;
      this.faults.push(thrown);
    }
  }

  #renderOutput(node: ParsedNode): void {
    for (const item of node.children as readonly ParsedNode[]) {
      if (item.typename === 'TemplateData') this.#copy(item);
      else this.#guard(() => this.#print(node, item));
    }
  }

  #print(output: ParsedNode, expression: ParsedNode): void {
    const value = evaluateDefined(expression, this.#scope);
    this.output.add(toYamlText(value), this.#scope.offsetOf(output), false);
  }

  #copy(node: ParsedNode): void {
    const text = String(node.value);
    let offset = this.#scope.offsetOf(node);
    // `-%}` removed white space in front of the text, which the parser's position still counts.
    while (!this.#source.startsWith(text, offset) && /\s/.test(this.#source[offset] ?? '')) offset += 1;
    this.output.add(text, offset, true);
  }

  #renderIf(node: ParsedNode): void {
    const condition = evaluateDefined(node.cond as ParsedNode, this.#scope);
    const branch = (isTrue(condition) ? node.body : node.else_) as ParsedNode | null;
    if (branch !== null) this.#renderNode(branch);
  }

  #renderFor(node: ParsedNode): void {
    const value = evaluateDefined(node.arr as ParsedNode, this.#scope);
    const items = isMapping(value) ? Object.keys(value) : value;
    if (!isList(items)) {
      throw new TemplateFault(this.#scope.offsetOf(node), '{% for %} needs a list or a mapping');
    }
    const otherwise = node.else_ as ParsedNode | null;
    if (items.length === 0 && otherwise !== null) this.#renderNode(otherwise);
    const saved = new Map(this.#variables);
    items.forEach((item, index) => {
      this.#bindLoop(node.name as ParsedNode, item, index, items.length);
      this.#renderNode(node.body as ParsedNode);
    });
    this.#variables.clear();
    for (const [name, variable] of saved) this.#variables.set(name, variable);
  }

  #bindLoop(target: ParsedNode, item: TemplateValue, index: number, length: number): void {
    if (target.typename === 'Symbol') this.#variables.set(String(target.value), item);
    else {
      const values = isList(item) ? item : [];
      (target.children as readonly ParsedNode[]).forEach((name, at) => {
        const label = String(name.value);
        this.#variables.set(label, values[at] ?? new Undefined(label));
      });
    }
    this.#variables.set('loop', {
      index: index + 1,
      index0: index,
      first: index === 0,
      last: index === length - 1,
      length,
    });
  }

  #assign(node: ParsedNode): void {
    const value = node.value as ParsedNode | null;
    if (value === null || value === undefined) {
      throw new TemplateFault(this.#scope.offsetOf(node), '{% set %} needs a value');
    }
    const result = evaluate(value, this.#scope);
    for (const target of node.targets as readonly ParsedNode[]) {
      this.#variables.set(String(target.value), result);
    }
  }
}

/** MLflow's own filter: the content of a JSON file of the project. */
const fromJson =
  (options: RenderOptions): TemplateFilter =>
  (path) => {
    if (typeof path !== 'string') throw new TypeError('from_json needs the path of a file in the project');
    const text = options.readFile(path);
    if (text === undefined) throw new TypeError(`from_json: the project has no file \`${path}\``);
    try {
      return JSON.parse(text) as TemplateValue;
    } catch (thrown) {
      throw new TypeError(`from_json: \`${path}\` is not JSON (${(thrown as Error).message})`);
    }
  };
