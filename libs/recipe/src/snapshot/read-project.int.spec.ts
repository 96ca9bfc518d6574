import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listProjectFiles, readProjectFile } from './read-project.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-project-'));
  await mkdir(join(root, 'steps'));
  await mkdir(join(root, '.git'));
  await writeFile(join(root, 'recipe.yaml'), 'recipe: x\n');
  await writeFile(join(root, 'steps', 'train.ts'), 'export {};\n');
  await writeFile(join(root, '.git', 'config'), '');
});
afterEach(() => rm(root, { recursive: true, force: true }));

test('lists the files with their sizes, without what never belongs to a project', async () => {
  await symlink(join(root, 'recipe.yaml'), join(root, 'link.yaml'));
  const files = await listProjectFiles(root);
  expect(files.toSorted((left, right) => left.path.localeCompare(right.path))).toEqual([
    { path: 'link.yaml', size: 10 },
    { path: 'recipe.yaml', size: 10 },
    { path: 'steps/train.ts', size: 11 },
  ]);
});

test('refuses links that leave the project and paths that do', async () => {
  await expect(readProjectFile(root, '../x')).rejects.toThrow('must not leave the project');
  await symlink('/etc/hostname', join(root, 'leak.yaml'));
  await expect(readProjectFile(root, 'leak.yaml')).rejects.toThrow(
    'is a symbolic link that leaves the project',
  );
  await expect(listProjectFiles(root)).rejects.toThrow(
    'leak.yaml: is a symbolic link that leaves the project',
  );
});
