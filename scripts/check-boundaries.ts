/**
 * Enforces who may import whom, from the tags in each `project.json`, and refuses import cycles:
 *
 * - a library imports libraries only; a service imports libraries only, never another service;
 * - `type:composition` projects, which put services together, may import both;
 * - every package is imported by its name and declared in the importer's `package.json`;
 * - Node built-ins other than types stay out of libraries tagged `runtime:pure`.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { parseSync } from '@swc/core';

interface Project {
  readonly name: string;
  readonly directory: string;
  readonly tags: ReadonlySet<string>;
  readonly dependencies: ReadonlySet<string>;
}

const root = join(import.meta.dirname, '..');
const readJson = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;

const projects: readonly Project[] = ['libs', 'services'].flatMap((group) =>
  readdirSync(join(root, group))
    .map((name) => join(root, group, name))
    .filter((directory) => existsSync(join(directory, 'project.json')))
    .map((directory) => {
      const manifest = readJson(join(directory, 'package.json'));
      return {
        name: manifest.name as string,
        directory,
        tags: new Set(readJson(join(directory, 'project.json')).tags as string[]),
        dependencies: new Set([
          ...Object.keys((manifest.dependencies as object) ?? {}),
          ...Object.keys((manifest.devDependencies as object) ?? {}),
        ]),
      };
    }),
);
const byName = new Map(projects.map((project) => [project.name, project]));
const rootTools = new Set(Object.keys(readJson(join(root, 'package.json')).devDependencies as object));
const builtins = new Set(builtinModules);

const sourcesOf = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes(`${sep}node_modules${sep}`) && !file.includes(`${sep}fixtures${sep}`));

/** Module names that a file imports, statically or by `import('…')` with a literal. */
const importsOf = (file: string): { name: string; typeOnly: boolean }[] => {
  const source = readFileSync(file, 'utf8');
  const found: { name: string; typeOnly: boolean }[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const item of node) visit(item);
      return;
    }
    if (typeof node !== 'object' || node === null) return;
    const { type, source: from, typeOnly, callee, arguments: args } = node as Record<string, unknown>;
    if (from !== undefined && from !== null && typeof (from as { value?: unknown }).value === 'string') {
      found.push({ name: (from as { value: string }).value, typeOnly: typeOnly === true });
    }
    if (type === 'CallExpression' && (callee as { type?: string } | undefined)?.type === 'Import') {
      const literal = (args as { expression: { type: string; value: string } }[] | undefined)?.[0]
        ?.expression;
      if (literal?.type === 'StringLiteral') found.push({ name: literal.value, typeOnly: false });
    }
    for (const value of Object.values(node)) visit(value);
  };
  visit(parseSync(source, { syntax: 'typescript', target: 'esnext' }).body);
  return found;
};

const packageOf = (name: string): string =>
  name.startsWith('@') ? name.split('/').slice(0, 2).join('/') : (name.split('/')[0] ?? name);

const problems: string[] = [];
const graph = new Map<string, string[]>();

const checkImport = (project: Project, file: string, name: string, typeOnly: boolean): void => {
  const where = relative(root, file);
  if (name.startsWith('.')) {
    const target = resolve(dirname(file), name);
    if (!target.startsWith(`${project.directory}${sep}`)) {
      problems.push(`${where} reaches into another project by path: ${name}`);
    }
    if (!typeOnly) graph.set(file, [...(graph.get(file) ?? []), target]);
    return;
  }
  if (name.startsWith('node:') || builtins.has(name)) {
    if (project.tags.has('runtime:pure') && !typeOnly && !/\.spec\.ts$/.test(file)) {
      problems.push(`${where} imports ${name}, but ${project.name} is tagged runtime:pure`);
    }
    return;
  }
  const imported = packageOf(name);
  const target = byName.get(imported);
  if (imported === project.name) return;
  if (target?.tags.has('type:service') && !project.tags.has('type:composition')) {
    problems.push(`${where} imports the service ${imported}: only libraries may be imported`);
  }
  if (target?.tags.has('type:composition'))
    problems.push(`${where} imports ${imported}, which only composes`);
  const isTest =
    /(\.spec|\.bench|conformance[^/]*)\.ts$/.test(file) || /\/(test|bench|conformance)\//.test(file);
  if (!project.dependencies.has(imported) && !(isTest && (rootTools.has(imported) || target !== undefined))) {
    problems.push(`${where} imports ${imported}, which ${project.name} does not declare`);
  }
};

for (const project of projects) {
  for (const file of sourcesOf(project.directory)) {
    if (file.includes(`${sep}generated${sep}`)) continue;
    for (const { name, typeOnly } of importsOf(file)) checkImport(project, file, name, typeOnly);
  }
}

/** Depth-first search for a file that is reached again from itself. */
const findCycles = (): string[] => {
  const state = new Map<string, 'open' | 'done'>();
  const cycles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      const cycle = [...path.slice(path.indexOf(file)), file];
      cycles.push(cycle.map((item) => relative(root, item)).join(' → '));
      return;
    }
    state.set(file, 'open');
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    state.set(file, 'done');
  };
  for (const file of graph.keys()) visit(file, []);
  return cycles;
};

problems.push(...findCycles().map((cycle) => `import cycle: ${cycle}`));
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
