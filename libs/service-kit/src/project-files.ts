import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type BlobStore, parseDigest } from '@millrace/blobs';
import { Invalid, NotFound } from '@millrace/errors';
import { z } from 'zod';

const manifestSchema = z.object({
  files: z.array(
    z.object({
      path: z.string().min(1).max(1024),
      digest: z.string().regex(/^sha256:[0-9a-f]{64}$/, 'must be sha256:<64 hex digits>'),
      size: z.number().int().nonnegative(),
    }),
  ),
});

const maxManifestBytes = 16 * 1024 * 1024;
const maxTextBytes = 4 * 1024 * 1024;

export interface ProjectFile {
  /** Relative to the project, `/`-separated, without `..`. */
  readonly path: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/** The files of a project snapshot. Nothing outside the snapshot can be reached through it. */
export class ProjectFiles {
  readonly #blobs: BlobStore;
  readonly files: readonly ProjectFile[];

  constructor(blobs: BlobStore, files: readonly ProjectFile[]) {
    this.#blobs = blobs;
    this.files = files;
  }

  find(path: string): ProjectFile | undefined {
    return this.files.find((file) => file.path === path);
  }

  /** The text of a file. Throws `NotFound` when the snapshot lacks it. */
  async readText(path: string): Promise<string> {
    const file = this.find(path);
    if (file === undefined) throw new NotFound(`the project has no file "${path}"`);
    return new TextDecoder().decode(await this.#blobs.read(parseDigest(file.digest), maxTextBytes));
  }

  /** Lays files out below `directory`, which must be the caller's own. Returns their local paths in order. */
  async materialize(files: readonly ProjectFile[], directory: string): Promise<readonly string[]> {
    return Promise.all(
      files.map(async (file) => {
        const path = join(directory, ...safeSegments(file.path));
        await mkdir(dirname(path), { recursive: true });
        await this.#blobs.materialize(parseDigest(file.digest), path);
        return path;
      }),
    );
  }
}

/**
 * The parts of a path, which must be in the one spelling that `@millrace/recipe` writes into a manifest. Checked
 * again here, because a manifest may come from anybody who can upload a blob; a test keeps the two in step.
 */
const safeSegments = (path: string): string[] => {
  const segments = path.split('/');
  const leaves = segments.some((part) => part === '' || part === '.' || part === '..');
  if (leaves || unsafeCharacters.test(path) || startsElsewhere.test(path)) {
    throw Invalid.field('files', `${JSON.stringify(path.slice(0, 200))} is not a path inside the project`);
  }
  return segments;
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const unsafeCharacters = /[\u0000-\u001f\u007f\\]/;
/** A home directory or a drive. */
const startsElsewhere = /^(~|[A-Za-z]:)/;

/** Opens a snapshot by its manifest. Throws `Invalid` when the manifest is malformed or names a path outside. */
export const openProject = async (blobs: BlobStore, manifestDigest: string): Promise<ProjectFiles> => {
  const bytes = await blobs.read(parseDigest(manifestDigest), maxManifestBytes);
  const parsed = manifestSchema.safeParse(parseJson(bytes));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw Invalid.field(issue?.path.join('.') || 'files', issue?.message ?? 'is wrong');
  }
  const { files } = parsed.data;
  for (const file of files) safeSegments(file.path);
  if (new Set(files.map(({ path }) => path)).size < files.length) {
    throw Invalid.field('files', 'name a path twice');
  }
  return new ProjectFiles(blobs, files);
};

const parseJson = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Invalid('the manifest of the project snapshot is not JSON');
  }
};
