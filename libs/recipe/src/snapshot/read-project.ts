import { lstat, readdir, readFile, realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { Invalid } from '@millrace/errors';
import { manifestLimits } from './manifest.ts';
import { normalizeProjectPath } from './project-path.ts';
import { type FoundFile, ignoredDirectories } from './select-files.ts';

/**
 * Lists the files below a project's root. Symbolic links are followed when they stay inside the project and point
 * to a file; one that leaves it throws `Invalid`, as its content would silently become part of the snapshot.
 */
export const listProjectFiles = async (root: string): Promise<readonly FoundFile[]> => {
  const realRoot = await realpath(root);
  const found: FoundFile[] = [];
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await readdir(join(realRoot, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!ignoredDirectories.has(entry.name) && !entry.name.startsWith('.')) folders.push(path);
      } else if (entry.isFile() || entry.isSymbolicLink()) {
        const size = await sizeOf(realRoot, path, entry.isSymbolicLink());
        if (size !== undefined) found.push({ path: normalizeProjectPath(path), size });
      }
      if (found.length > manifestLimits.maxFiles * 10) {
        throw Invalid.field('project', `has more than ${manifestLimits.maxFiles * 10} files`);
      }
    }
  }
  return found;
};

const sizeOf = async (root: string, path: string, isLink: boolean): Promise<number | undefined> => {
  if (!isLink) return (await lstat(join(root, path))).size;
  const target = await resolveInside(root, path);
  const stats = await lstat(target);
  return stats.isFile() ? stats.size : undefined;
};

const resolveInside = async (root: string, path: string): Promise<string> => {
  const target = await realpath(join(root, path)).catch(() => {
    throw Invalid.field(path, 'is a symbolic link to nothing');
  });
  const inside = relative(root, target);
  if (inside === '..' || inside.startsWith(`..${sep}`)) {
    throw Invalid.field(path, 'is a symbolic link that leaves the project', {
      hint: 'Copy the file into the project, or name an address in ingest.location.',
    });
  }
  return target;
};

/** Reads one file of a project; throws `Invalid` when its path or a link leaves the project. */
export const readProjectFile = async (root: string, path: string): Promise<Uint8Array> => {
  const realRoot = await realpath(root);
  return readFile(await resolveInside(realRoot, normalizeProjectPath(path)));
};
