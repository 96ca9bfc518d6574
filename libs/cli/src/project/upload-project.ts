import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { MillraceClient } from '@millrace/client';
import type { ProjectSnapshot } from '@millrace/contracts/step';
import { Invalid } from '@millrace/errors';
import {
  buildManifest,
  encodeManifest,
  listProjectFiles,
  loadRecipe,
  type ManifestFile,
  type Recipe,
  readProjectFile,
  selectProjectFiles,
} from '@millrace/recipe';
import { projectNameOf } from './project-name.ts';

export interface LocalProject {
  /** The directory that holds `recipe.yaml`. */
  readonly root: string;
  readonly recipe: Recipe;
  /** Text of a file of code or settings; undefined when there is none, or it is too large for one. */
  readonly readFile: (path: string) => string | undefined;
  readonly warnings: readonly string[];
}

const recipeFiles = ['recipe.yaml', 'pipeline.yaml'];

/** The nearest directory from `start` upwards that holds a recipe. Throws `Invalid` when there is none. */
export const findProject = async (start: string): Promise<string> => {
  for (let directory = await realpath(resolve(start)); ; directory = dirname(directory)) {
    for (const name of recipeFiles) {
      const found = await access(join(directory, name)).then(
        () => true,
        () => false,
      );
      if (found) return directory;
    }
    if (dirname(directory) === directory) {
      throw new Invalid(`no recipe.yaml in ${resolve(start)} or above it`, {
        hint: 'Go to a recipe project, name one with --project, or make one with `millrace init`.',
      });
    }
  }
};

/** Reads and checks the recipe of a project on this machine. */
export const readLocalProject = async (root: string, profile: string | undefined): Promise<LocalProject> => {
  const files = await listProjectFiles(root);
  const contents = new Map<string, string>();
  const texts = files.filter(({ path, size }) => size <= maxTextBytes && textual.test(path));
  for (const { path } of texts) {
    contents.set(path, new TextDecoder().decode(await readProjectFile(root, path)));
  }
  const readFile = (path: string) => contents.get(path);
  const { recipe, warnings } = loadRecipe({
    readFile,
    listFiles: () => files.map(({ path }) => path),
    projectName: projectNameOf(root),
    ...(profile === undefined ? {} : { profile }),
  });
  return { root, recipe, readFile, warnings };
};

const maxTextBytes = 1024 * 1024;
const textual = /\.(ya?ml|json|ts|js|py|txt|toml)$/;

/** How many files are hashed and sent at once. */
const parallel = 4;

/** Makes a snapshot of a project and uploads what the gateway does not have yet. */
export const uploadProject = async (
  client: MillraceClient,
  { root, recipe, readFile }: LocalProject,
  onFile: (path: string) => void,
): Promise<ProjectSnapshot> => {
  const selected = selectProjectFiles(await listProjectFiles(root), recipe, readFile);
  const upload = async () => {
    const files = await uploadFiles(client, root, selected, onFile);
    return uploadContent(client, encodeManifest(buildManifest(files)));
  };
  const [manifestDigest, version] = await Promise.all([upload(), codeVersion(root)]);
  return { project: recipe.name, manifestDigest, ...version };
};

/** Uploads files below `root`, a few at a time, and says which there are. */
export const uploadFiles = async (
  client: MillraceClient,
  root: string,
  selected: readonly { readonly path: string }[],
  onFile: (path: string) => void,
): Promise<ManifestFile[]> => {
  const files: ManifestFile[] = [];
  const queue = [...selected];
  const worker = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      files.push(await uploadOne(client, root, file, onFile));
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return files;
};

/** Uploads bytes unless the gateway has them, and returns their digest. */
export const uploadContent = async (client: MillraceClient, content: Uint8Array): Promise<string> => {
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  if ((await client.blobSize(digest)) === undefined) await client.uploadBytes(digest, content);
  return digest;
};

/** Hashes a file below `root` and uploads it unless the gateway has it. */
const uploadOne = async (
  client: MillraceClient,
  root: string,
  { path }: { path: string },
  onFile: (path: string) => void,
): Promise<ManifestFile> => {
  const local = join(root, path);
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream(local)) {
    hash.update(chunk as Uint8Array);
    size += (chunk as Uint8Array).length;
  }
  const digest = `sha256:${hash.digest('hex')}`;
  if ((await client.blobSize(digest)) === undefined) {
    onFile(path);
    await client.uploadFile(digest, local);
  }
  return { path, digest, size };
};

const run = promisify(execFile);

/** Commit of the project and digest of what is changed since; empty outside a repository. */
const codeVersion = async (root: string): Promise<Pick<ProjectSnapshot, 'commit' | 'dirtyDigest'>> => {
  const git = async (...args: string[]) =>
    (await run('git', ['-C', root, ...args], { maxBuffer: 64 * 1024 * 1024 })).stdout;
  try {
    // First, since there may be no repository: then nothing more is started.
    const commit = (await git('rev-parse', 'HEAD')).trim();
    const [status, changes] = await Promise.all([
      git('status', '--porcelain', '--', '.'),
      git('diff', 'HEAD', '--', '.'),
    ]);
    const dirty = status + changes;
    const dirtyDigest = dirty === '' ? '' : `sha256:${createHash('sha256').update(dirty).digest('hex')}`;
    return { commit, dirtyDigest };
  } catch {
    return { commit: '', dirtyDigest: '' };
  }
};
