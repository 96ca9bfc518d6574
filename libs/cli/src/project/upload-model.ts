import { readdir, realpath, stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import type { MillraceClient } from '@millrace/client';
import { Invalid } from '@millrace/errors';
import { manifestOfFiles } from '@millrace/modeling/manifest';
import { uploadContent, uploadFiles } from './upload-project.ts';

const mostFiles = 20_000;

/**
 * Uploads a model directory file by file and returns the digest of its manifest.
 *
 * @throws Invalid when it is no model directory, or a link in it leads outside
 */
export const uploadModel = async (
  client: MillraceClient,
  directory: string,
  onFile: (path: string) => void,
): Promise<string> => {
  const root = await realpath(resolve(directory)).catch(() => {
    throw Invalid.field('directory', `there is no ${directory}`);
  });
  const paths = await listFiles(root);
  if (!paths.includes('MLmodel')) {
    throw Invalid.field('directory', `${directory} is no model directory: it has no MLmodel`, {
      hint: 'Give the directory that `mlflow.<flavor>.save_model` wrote, or that `mlflow artifacts download` fetched.',
    });
  }
  const selected = paths.map((path) => ({ path }));
  const files = await uploadFiles(client, root, selected, onFile);
  return uploadContent(client, manifestOfFiles(files).bytes);
};

const listFiles = async (root: string): Promise<string[]> => {
  const found: string[] = [];
  const walk = async (directory: string): Promise<void> => {
    for (const { name } of await readdir(directory, { withFileTypes: true })) {
      const path = join(directory, name);
      await assertInside(root, path);
      const { isDirectory, isFile } = await kindOf(path);
      if (isDirectory) await walk(path);
      if (isFile) found.push(relative(root, path).split(sep).join('/'));
      if (found.length > mostFiles) throw Invalid.field('directory', `has more than ${mostFiles} files`);
    }
  };
  await walk(root);
  return found;
};

const kindOf = async (path: string) => {
  const entry = await stat(path);
  return { isDirectory: entry.isDirectory(), isFile: entry.isFile() };
};

const assertInside = async (root: string, path: string): Promise<void> => {
  const target = await realpath(path).catch(() => '');
  // A link to a directory above itself would have no end.
  if (target.startsWith(`${root}${sep}`) && !path.startsWith(`${target}${sep}`)) return;
  throw Invalid.field('directory', `${relative(root, path)} is a link that leads outside, or nowhere`);
};
