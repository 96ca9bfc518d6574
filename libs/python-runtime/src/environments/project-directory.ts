import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { ProjectFiles } from './requirements-file.ts';

/** Directories that hold no files of a project. */
const skipped = new Set(['.git', 'node_modules', '.venv', 'venv', '__pycache__']);

/** The files of a project on disk. */
export const projectFilesIn = (directory: string): ProjectFiles => ({
  readFile: (path) => {
    try {
      return readFileSync(join(directory, path), 'utf8');
    } catch {
      return undefined;
    }
  },
  listFiles: () => filesBelow(directory).map((path) => relative(directory, path).split(sep).join('/')),
});

const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (!entry.isDirectory()) return [path];
    return skipped.has(entry.name) ? [] : filesBelow(path);
  });
