import { posix } from 'node:path';
import { Invalid } from '@millrace/errors';
import type { ProjectFiles } from '../types.ts';
import { sha256 } from './digest.ts';
import { pythonImportCandidates, withoutPythonComments } from './python-source.ts';
import { scriptFacts } from './script-source.ts';

export interface CodeFile {
  readonly path: string;
  /** Digest of what the code does, hexadecimal; comments and layout leave it alone. */
  readonly digest: string;
}

export interface CodeClosure {
  /** In order of path. */
  readonly files: readonly CodeFile[];
  /** Whether any of them imports an installed package. */
  readonly usesPackages: boolean;
}

const isScript = (path: string): boolean => /\.m?[jt]s$/.test(path);

/**
 * The files that running the entries may run: themselves and what they import, transitively, inside the
 * project. Throws `Invalid` for invalid code and for an import of a file that the project does not have.
 */
export const codeClosure = (entries: readonly string[], files: ProjectFiles): CodeClosure => {
  const found = new Map<string, CodeFile>();
  const all = new Set(files.listFiles());
  const queue = [...entries];
  let usesPackages = false;
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (found.has(path)) continue;
    const facts = factsOf(path, files.readFile(path) ?? '', all);
    found.set(path, { path, digest: facts.digest });
    usesPackages ||= facts.usesPackages;
    queue.push(...facts.dependsOn);
  }
  const sorted = [...found.values()].sort((left, right) => (left.path < right.path ? -1 : 1));
  return { files: sorted, usesPackages };
};

interface FileFacts {
  readonly digest: string;
  readonly dependsOn: readonly string[];
  readonly usesPackages: boolean;
}

const factsOf = (path: string, source: string, all: ReadonlySet<string>): FileFacts => {
  if (isScript(path)) return scriptDependencies(path, source, all);
  if (!path.endsWith('.py')) return { digest: sha256(source), dependsOn: [], usesPackages: false };
  const dependsOn = pythonImportCandidates(path, source).filter((candidate) => all.has(candidate));
  return { digest: sha256(withoutPythonComments(source)), dependsOn, usesPackages: true };
};

const scriptDependencies = (path: string, source: string, all: ReadonlySet<string>): FileFacts => {
  const { digest, imports, importsComputed } = scriptFacts(path, source);
  const relative = imports.filter((specifier) => /^\.{1,2}(\/|$)/.test(specifier));
  const packages = imports.filter(
    (specifier) => !relative.includes(specifier) && !specifier.startsWith('node:'),
  );
  const dependsOn = relative.map((specifier) => resolveImport(path, specifier, all));
  return {
    digest,
    // Which file a computed import means is known only at run time: depend on every script.
    dependsOn: importsComputed ? [...all].filter(isScript) : dependsOn,
    usesPackages: packages.length > 0,
  };
};

const resolveImport = (importer: string, specifier: string, all: ReadonlySet<string>): string => {
  const target = posix.join(posix.dirname(importer), specifier);
  if (target.startsWith('..')) {
    throw Invalid.field(importer, `imports "${specifier}", which lies outside the project`);
  }
  if (all.has(target)) return target;
  const complete = ['.ts', '.js', '.mts', '.mjs']
    .map((extension) => target + extension)
    .find((path) => all.has(path));
  const hint = complete === undefined ? {} : { hint: `Write the whole name: "${posix.basename(complete)}".` };
  throw Invalid.field(importer, `imports "${specifier}", which the project does not have`, hint);
};
