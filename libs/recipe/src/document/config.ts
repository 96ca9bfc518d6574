import { pathText } from './path-text.ts';
import type { Finding, Mapping, Path, SourceDocument } from './yaml-document.ts';

/** Something wrong with a configuration, before it is known where that stands in a file. */
export interface Problem {
  readonly path: Path;
  readonly part: 'key' | 'value';
  readonly message: string;
  /** MLflow passed it over, so in a Python recipe it is worth a warning only. */
  readonly harmless?: boolean;
}

/** A subtree that was given a new place, so that errors can name the place its author knows. */
export interface Move {
  readonly from: Path;
  readonly to: Path;
}

/** The documents of a recipe as one mapping: each top-level key comes from exactly one of them. */
export class Config {
  readonly content: Mapping;
  readonly #documents: readonly SourceDocument[];
  readonly #moves: readonly Move[];

  constructor(documents: readonly SourceDocument[], content: Mapping, moves: readonly Move[] = []) {
    this.#documents = documents;
    this.content = content;
    this.#moves = moves;
  }

  /** Merges documents at top level; a key in more than one is a finding, as in MLflow. */
  static merge(documents: readonly SourceDocument[]): { config: Config; findings: readonly Finding[] } {
    const content: Record<string, unknown> = {};
    const owners = new Map<string, string>();
    const findings: Finding[] = [];
    for (const document of documents) {
      for (const [key, value] of Object.entries(document.content)) {
        const owner = owners.get(key);
        if (owner !== undefined) {
          findings.push({
            file: document.file,
            position: document.locate([key], 'key'),
            path: key,
            message: `stands in ${owner} too; a key may stand in one of them only`,
          });
        }
        owners.set(key, document.file);
        content[key] = value;
      }
    }
    return { config: new Config(documents, content), findings };
  }

  /** Without the keys that only give values to the template. */
  without(keys: readonly string[]): Config {
    const kept = Object.entries(this.content).filter(([key]) => !keys.includes(key));
    return new Config(this.#documents, Object.fromEntries(kept), this.#moves);
  }

  rearranged(content: Mapping, moves: readonly Move[]): Config {
    return new Config(this.#documents, content, moves);
  }

  find(problem: Problem): Finding {
    const path = this.#originOf(problem.path);
    const document =
      this.#documents.find((candidate) => Object.hasOwn(candidate.content, String(path[0]))) ??
      this.#documents.at(-1);
    if (document === undefined) throw new Error('a configuration has at least one document');
    return {
      file: document.file,
      position: document.locate(path, problem.part),
      path: pathText(path),
      message: problem.message,
    };
  }

  #originOf(path: Path): Path {
    const moves = this.#moves.filter(({ to }) => to.every((segment, depth) => path[depth] === segment));
    const closest = moves.toSorted((left, right) => right.to.length - left.to.length)[0];
    return closest === undefined ? path : [...closest.from, ...path.slice(closest.to.length)];
  }
}
