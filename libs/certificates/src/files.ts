import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A file of certificates may be read by everybody, a key by its owner only. */
export type FileContent = { readonly text: string; readonly mode: 0o600 | 0o644 };
export type FolderContent = Readonly<Record<string, FileContent>>;

export const publicFile = (text: string): FileContent => ({ text, mode: 0o644 });
export const secretFile = (text: string): FileContent => ({ text, mode: 0o600 });

export const readIfThere = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
};

const write = async (path: string, { text, mode }: FileContent): Promise<void> => {
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
};

/** Replaces files of a folder, each at once: a reader sees the old or the new one, never a part. */
export const replaceFiles = async (folder: string, content: FolderContent): Promise<void> => {
  for (const [name, file] of Object.entries(content)) {
    const draft = join(folder, `.${name}.${randomUUID()}`);
    await write(draft, file);
    await rename(draft, join(folder, name));
  }
};

/** Makes a folder with all its files at once. Fails with `ENOTEMPTY` or `EEXIST` when there is one with files. */
export const createFolder = async (folder: string, content: FolderContent): Promise<void> => {
  const draft = join(dirname(folder), `.draft.${randomUUID()}`);
  await mkdir(draft, { recursive: true, mode: 0o700 });
  try {
    for (const [name, file] of Object.entries(content)) await write(join(draft, name), file);
    await rename(draft, folder);
  } catch (thrown) {
    await rm(draft, { recursive: true, force: true });
    throw thrown;
  }
};
