import type { Problem } from '../document/config.ts';
import { didYouMean } from '../document/suggest.ts';
import type { Path } from '../document/yaml-document.ts';
import type { ProjectFiles, Runtime, Task } from '../types.ts';

/** A configuration of the right shape: what rules over several keys look at. */
export interface RuleInput {
  readonly content: Fields;
  readonly task: Task;
  readonly runtime: Runtime;
  readonly files: ProjectFiles;
}

/** Keys of a mapping whose shape the schema has checked. */
// biome-ignore lint/suspicious/noExplicitAny: the schema, not the type checker, guarantees these shapes
export type Fields = Readonly<Record<string, any>>;

export type Rule = (input: RuleInput) => Iterable<Problem>;

export const wrong = (path: Path, message: string): Problem => ({ path, part: 'value', message });

/** A setting that nothing looks at: an error in a recipe of Millrace's own, a warning in one that MLflow ran. */
export const idle = (path: Path, message: string): Problem => ({ ...wrong(path, message), harmless: true });

export const section = (content: Fields, step: string): Fields => content.steps[step] ?? {};

export const hasStep = (content: Fields, step: string): boolean => Object.hasOwn(content.steps, step);

/** `unknown metric "x"; did you mean "y"?` */
export const unknownName = (what: string, name: string, known: readonly string[]): string => {
  const suggestion = didYouMean(name, known);
  return `unknown ${what} "${name}"${suggestion === '' ? `; known are ${known.join(', ')}` : suggestion}`;
};

/** Names that appear more than once, with the positions after the first. */
export function* duplicates(items: readonly Fields[], path: Path): Iterable<Problem> {
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    const name = String(item.name);
    if (seen.has(name)) yield wrong([...path, index, 'name'], `there are two with the name "${name}"`);
    seen.add(name);
  }
}
