import { mkdir } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { type BlobStore, parseDigest } from '@millrace/blobs';
import { Invalid, NotFound } from '@millrace/errors';
import { z } from 'zod';

const manifestSchema = z.object({
  files: z.array(
    z.object({ path: z.string().min(1), digest: z.string(), size: z.number().int().nonnegative() }),
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

const safeSegments = (path: string): string[] => {
  const segments = path.split('/');
  const unsafe = segments.some((part) => part === '' || part === '.' || part === '..' || part.includes(sep));
  if (unsafe || path.includes('\\') || path.includes('\0')) {
    throw Invalid.field('files', `"${path}" is not a path inside the project`);
  }
  return segments;
};

/** Opens a snapshot by its manifest. Throws `Invalid` when the manifest is malformed or names a path outside. */
export const openProject = async (blobs: BlobStore, manifestDigest: string): Promise<ProjectFiles> => {
  const bytes = await blobs.read(parseDigest(manifestDigest), maxManifestBytes);
  const parsed = manifestSchema.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
  if (!parsed.success) throw new Invalid(`project manifest ${manifestDigest}: ${parsed.error.message}`);
  for (const file of parsed.data.files) safeSegments(file.path);
  return new ProjectFiles(blobs, parsed.data.files);
};
