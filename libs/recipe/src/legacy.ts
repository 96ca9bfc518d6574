import type { Move, Problem } from './document/config.ts';
import { pathText } from './document/path-text.ts';
import type { Mapping, Path } from './document/yaml-document.ts';

/** A configuration in today's spelling, and how it came to it. */
export interface Modernized {
  readonly content: Mapping;
  readonly moves: readonly Move[];
  readonly warnings: readonly Problem[];
}

type Node = Record<string, unknown>;

/** Maps the spellings of MLflow Pipelines and early MLflow Recipes to today's; leaves anything else alone. */
export const modernize = (content: Mapping): Modernized => {
  const rewriter = new Rewriter(structuredClone(content) as Node);
  for (const path of nullablePaths(rewriter.content)) rewriter.dropNull(path);
  for (const path of blankPaths) rewriter.dropBlank(path);
  for (const [from, to] of renamedKeys) rewriter.move(from, to);
  for (const path of functionPaths) rewriter.replace(path, bareName);
  for (const path of booleanPaths) rewriter.replace(path, yaml11Boolean);
  rewriter.replace(['steps', 'train', 'using'], (value) => (value === 'estimator_spec' ? 'custom' : value));
  rewriter.replace(['steps', 'train', 'tuning', 'algorithm'], searchAlgorithm);
  rewriter.replaceInItems(['custom_metrics'], 'function', bareName);
  rewriter.replaceInItems(['custom_metrics'], 'greater_is_better', yaml11Boolean);
  return rewriter;
};

/** Keys that a template left empty: MLflow read them as absent, at top level, in its sections and in those of steps. */
const nullablePaths = (content: Node): readonly Path[] => [
  ...Object.keys(content).map((key): Path => [key]),
  ...keysWithin(content).filter(([section]) => section !== 'steps'),
  ...(isNode(content.steps) ? keysWithin(content.steps).map((path): Path => ['steps', ...path]) : []),
];

/** Paths of the keys of all mappings in a mapping. */
const keysWithin = (content: Node): readonly Path[] =>
  Object.entries(content).flatMap(([section, keys]) =>
    isNode(keys) && !Array.isArray(keys) ? Object.keys(keys).map((key): Path => [section, key]) : [],
  );

/** What the templates leave as `""` to be filled in, and has a default. */
const blankPaths: readonly Path[] = [
  ['experiment', 'name'],
  ['experiment', 'tracking_uri'],
  ['experiment', 'artifact_location'],
  ['model_registry', 'model_name'],
  ['model_registry', 'registry_uri'],
  ['metrics', 'primary'],
  ['primary_metric'],
  ['steps', 'register', 'model_name'],
];

const renamedKeys: readonly (readonly [Path, Path])[] = [
  [['template'], ['recipe']],
  [
    ['data', 'format'],
    ['data', 'using'],
  ],
  [
    ['data', 'custom_loader_method'],
    ['data', 'loader_method'],
  ],
  [['data'], ['steps', 'ingest']],
  [
    ['data_scoring', 'format'],
    ['data_scoring', 'using'],
  ],
  [
    ['data_scoring', 'custom_loader_method'],
    ['data_scoring', 'loader_method'],
  ],
  [['data_scoring'], ['steps', 'ingest_scoring']],
  [
    ['steps', 'predict', 'output_format'],
    ['steps', 'predict', 'output', 'using'],
  ],
  [
    ['steps', 'predict', 'output_location'],
    ['steps', 'predict', 'output', 'location'],
  ],
  [['metrics', 'custom'], ['custom_metrics']],
  [['metrics', 'primary'], ['primary_metric']],
  [
    ['model_registry', 'uri'],
    ['model_registry', 'registry_uri'],
  ],
  [
    ['steps', 'evaluate', 'validation_critera'],
    ['steps', 'evaluate', 'validation_criteria'],
  ],
];

export const legacyTopLevelKeys: readonly string[] = ['template', 'data', 'data_scoring', 'metrics'];

const functionPaths: readonly Path[] = [
  ['steps', 'ingest', 'loader_method'],
  ['steps', 'ingest_scoring', 'loader_method'],
  ['steps', 'split', 'split_method'],
  ['steps', 'split', 'post_split_filter_method'],
  ['steps', 'split', 'post_split_method'],
  ['steps', 'transform', 'transformer_method'],
  ['steps', 'train', 'estimator_method'],
  ['steps', 'train', 'tuning', 'early_stop_fn'],
];

const booleanPaths: readonly Path[] = [
  ...['ingest', 'ingest_scoring', 'split', 'transform', 'train', 'predict'].map((step) => [
    'steps',
    step,
    'skip_data_profiling',
  ]),
  ['steps', 'train', 'predict_scores_for_all_classes'],
  ['steps', 'train', 'rebalance_training_data'],
  ['steps', 'train', 'tuning', 'enabled'],
  ['steps', 'register', 'allow_non_validated_model'],
  ['steps', 'monitor', 'rollback_on_alert'],
];

/** `steps.split.create_filter` → `create_filter`: the step fixes the module. */
const bareName = (value: unknown): unknown =>
  typeof value === 'string' && /^steps\.\w+\.\w+$/.test(value)
    ? value.slice(value.lastIndexOf('.') + 1)
    : value;

/** YAML 1.1, which MLflow read, has more words for true and false than YAML 1.2. */
const yaml11Boolean = (value: unknown): unknown => {
  if (typeof value !== 'string') return value;
  if (/^(yes|on)$/i.test(value)) return true;
  return /^(no|off)$/i.test(value) ? false : value;
};

const searchAlgorithm = (value: unknown): unknown => {
  if (value === 'hyperopt.rand.suggest') return 'random';
  return value === 'hyperopt.tpe.suggest' ? 'tpe' : value;
};

class Rewriter implements Modernized {
  readonly content: Node;
  readonly moves: Move[] = [];
  readonly warnings: Problem[] = [];

  constructor(content: Node) {
    this.content = content;
  }

  /** Gives a subtree a new place unless something is there already. */
  move(from: Path, to: Path): void {
    const source = this.#parent(from, false);
    const oldKey = String(from.at(-1));
    if (source === undefined || !Object.hasOwn(source, oldKey)) return;
    const target = this.#parent(to, true);
    const newKey = String(to.at(-1));
    if (target === undefined || Object.hasOwn(target, newKey)) return;
    target[newKey] = source[oldKey];
    delete source[oldKey];
    this.#dropIfEmpty(from.slice(0, -1));
    const origin = this.#originOf(from);
    this.moves.push({ from: origin, to });
    // A subtree that moved inside a subtree that moves now is found by its final place.
    for (const move of this.moves.filter((earlier) => startsWith(earlier.to, from))) {
      if (move.to.length > from.length) {
        this.moves.push({ from: move.from, to: [...to, ...move.to.slice(from.length)] });
      }
    }
    this.#warn(origin, `is spelled \`${pathText(to)}\` today`);
  }

  dropNull(path: Path): void {
    const parent = this.#parent(path, false);
    const key = String(path.at(-1));
    if (parent !== undefined && parent[key] === null) delete parent[key];
  }

  /** Takes away a key whose value is `""`. */
  dropBlank(path: Path): void {
    const parent = this.#parent(path, false);
    const key = String(path.at(-1));
    if (parent?.[key] !== '') return;
    delete parent[key];
    this.#warn(path, 'is empty: its default counts');
    this.#dropIfEmpty(path.slice(0, -1));
  }

  replace(path: Path, change: (value: unknown) => unknown): void {
    const parent = this.#parent(path, false);
    const key = String(path.at(-1));
    if (parent === undefined || !Object.hasOwn(parent, key)) return;
    const changed = change(parent[key]);
    if (changed === parent[key]) return;
    this.#warn(this.#originOf(path), `\`${String(parent[key])}\` is spelled \`${String(changed)}\` today`);
    parent[key] = changed;
  }

  replaceInItems(path: Path, key: string, change: (value: unknown) => unknown): void {
    const list = this.#parent([...path, 0], false);
    if (!Array.isArray(list)) return;
    for (const index of list.keys()) this.replace([...path, index, key], change);
  }

  #warn(path: Path, message: string): void {
    this.warnings.push({ path, part: 'key', message });
  }

  #originOf(path: Path): Path {
    const move = this.moves.findLast((candidate) => startsWith(path, candidate.to));
    return move === undefined ? path : [...move.from, ...path.slice(move.to.length)];
  }

  /** The mapping or list that holds the last segment of `path`. */
  #parent(path: Path, create: boolean): Node | undefined {
    let node: unknown = this.content;
    for (const segment of path.slice(0, -1)) {
      if (!isNode(node)) return undefined;
      const key = String(segment);
      if (!Object.hasOwn(node, key)) {
        if (!create) return undefined;
        node[key] = {};
      }
      node = node[key];
    }
    return isNode(node) ? node : undefined;
  }

  #dropIfEmpty(path: Path): void {
    if (path.length === 0) return;
    const parent = this.#parent(path, false);
    const key = String(path.at(-1));
    const value = parent?.[key];
    if (parent !== undefined && isNode(value) && Object.keys(value).length === 0) delete parent[key];
  }
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

const startsWith = (path: Path, prefix: Path): boolean =>
  prefix.every((segment, depth) => path[depth] === segment);
