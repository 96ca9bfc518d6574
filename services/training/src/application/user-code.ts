import { FailedPrecondition, Invalid } from '@millrace/errors';
import type { UserFunction } from '@millrace/modeling';
import { type ProjectFiles as CodeFiles, codeClosure, stepCodeFile } from '@millrace/recipe';
import { openProject, type ProjectFiles } from '@millrace/service-kit';
import type { TrainingContext } from './ports.ts';

/** The user's code on disk. */
export interface UserCode {
  readonly directory: string;
  /** Relative to `directory`. */
  readonly files: readonly string[];
}

/** What may be imported from within a project. */
const codeFile = /\.(ts|mts|js|mjs|json)$/;
const largestCodeFile = 4 * 1024 * 1024;

/** A project whose user code can be found and laid out. */
export class UserProject {
  readonly #project: ProjectFiles;
  readonly #code: CodeFiles;

  private constructor(project: ProjectFiles, code: CodeFiles) {
    this.#project = project;
    this.#code = code;
  }

  static async open(context: Pick<TrainingContext, 'blobs'>, manifestDigest: string): Promise<UserProject> {
    if (manifestDigest === '') throw Invalid.field('project', 'is needed for user code');
    const project = await openProject(context.blobs, manifestDigest);
    const texts = new Map<string, string>();
    for (const { path, size } of project.files) {
      if (codeFile.test(path) && size <= largestCodeFile) texts.set(path, await project.readText(path));
    }
    const paths = project.files.map(({ path }) => path);
    return new UserProject(project, { readFile: (path) => texts.get(path), listFiles: () => paths });
  }

  /** The function `name` of `steps/<module>`. Throws when there is no such file or it is in Python. */
  function(module: string, name: string): UserFunction {
    const file = stepCodeFile(module, this.#code);
    if (file === undefined)
      throw Invalid.field(
        `steps/${module}.ts`,
        `the project has no such file, but the recipe calls "${name}" of it`,
      );
    if (file.endsWith('.py')) {
      throw new FailedPrecondition(`${file} needs the Python runtime`, {
        hint: `Write ${name} in steps/${module}.ts, or use a built-in.`,
      });
    }
    return { file, export: name };
  }

  /**
   * The files that running the entries may import, in order. Code that cannot be parsed may import anything; the
   * process that runs it says where it is wrong.
   */
  closure(entries: readonly string[]): string[] {
    try {
      return codeClosure(entries, this.#code).files.map(({ path }) => path);
    } catch {
      return this.#code.listFiles().filter((path) => this.#code.readFile(path) !== undefined);
    }
  }

  /** Lays out what running the entries may import, and nothing else. */
  async layOut(entries: readonly string[], directory: string): Promise<UserCode> {
    const wanted = new Set(this.closure(entries));
    const found = this.#project.files.filter(({ path }) => wanted.has(path));
    await this.#project.materialize(found, directory);
    return { directory, files: found.map(({ path }) => path) };
  }
}
