import { posix } from 'node:path';
import type { ProjectFiles } from '../types.ts';
import type { CodeFile } from './code-files.ts';
import { withoutPythonComments } from './python-source.ts';

/** Files from which an environment is resolved, with those that they may include. */
const requirementsFile =
  /^(?:(?:.+\/)?(?:requirements|constraints)[\w.-]*\.(?:txt|in|lock)|(?:.+\/)?requirements\/[\w.-]+\.txt|python_env\.ya?ml|conda\.ya?ml|environment\.ya?ml|pyproject\.toml|uv\.lock|\.python-version)$/;

export const isRequirementsFile = (path: string): boolean => requirementsFile.test(path);

/** A requirements file as far as it requires anything: without comments and layout, which only text files have here. */
export const requirementLines = (path: string, text: string): string =>
  path.endsWith('.txt')
    ? text
        .split(/\r?\n/)
        .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
        .filter((line) => line !== '')
        .join('\n')
    : text;

/** Names in Python code that may be those of files, without their folders. */
export const fileNamesIn = (source: string): ReadonlySet<string> => {
  const words = withoutPythonComments(source).match(/[\w.-]+/g) ?? [];
  return new Set(words.filter((word) => /\w\.\w/.test(word)));
};

/**
 * Files of the project, other than code, whose names stand in the Python code: what it may read beside its
 * arguments (`pd.read_csv("data/airports.csv")`).
 */
export const filesNamedIn = (code: readonly CodeFile[], files: ProjectFiles): readonly string[] => {
  const python = code.map(({ path }) => path).filter((path) => path.endsWith('.py'));
  const names = new Set(python.flatMap((path) => [...fileNamesIn(files.readFile(path) ?? '')]));
  if (names.size === 0) return [];
  return files.listFiles().filter((path) => !path.endsWith('.py') && names.has(posix.basename(path)));
};
