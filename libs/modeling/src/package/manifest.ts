import { createHash } from 'node:crypto';
import { Internal, Invalid } from '@millrace/errors';

/** The files of a model package: relative path → content. */
export type PackageFiles = ReadonlyMap<string, Uint8Array>;

export interface ManifestFile {
  readonly path: string;
  /** `sha256:<hex>` */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * A model package as one blob: a list of files by digest. Its own digest is the model's identity, so equal
 * models are the same model and unchanged files are stored once.
 */
export interface Manifest {
  readonly format: 'millrace.model/v1';
  readonly files: readonly ManifestFile[];
}

export const manifestMediaType = 'application/vnd.millrace.model.v1+json';

export const digestOf = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** The manifest of the files as canonical bytes (sorted by path) with its digest. */
export const manifestOf = (
  files: PackageFiles,
): { manifest: Manifest; bytes: Uint8Array; digest: string } => {
  const listed = [...files].map(([path, content]) => ({
    path,
    digest: digestOf(content),
    size: content.length,
  }));
  return manifestOfFiles(listed);
};

/** The same for files that are stored already. */
export const manifestOfFiles = (
  files: readonly ManifestFile[],
): { manifest: Manifest; bytes: Uint8Array; digest: string } => {
  const manifest: Manifest = {
    format: 'millrace.model/v1',
    files: files
      .map(({ path, digest, size }) => ({ path, digest, size }))
      .sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
  const bytes = new TextEncoder().encode(`${JSON.stringify(manifest)}\n`);
  return { manifest, bytes, digest: digestOf(bytes) };
};

/** Parses and checks a manifest blob; throws `Invalid` on anything that `manifestOf` would not write. */
export const parseManifest = (bytes: Uint8Array): Manifest => {
  const value = parseJson(bytes);
  if (value?.format !== 'millrace.model/v1' || !Array.isArray(value.files)) {
    throw Invalid.field('model', 'the blob is no model package manifest');
  }
  for (const [index, file] of value.files.entries()) checkFile(file, `model.files[${index}]`);
  return value as Manifest;
};

const parseJson = (bytes: Uint8Array): Partial<Manifest> | null => {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Partial<Manifest> | null;
  } catch (cause) {
    throw Invalid.field('model', 'the blob is not JSON', { cause });
  }
};

const checkFile = (file: Partial<ManifestFile> | null, path: string): void => {
  const parts = String(file?.path ?? '').split(/[/\\]/);
  const contained = parts.every(
    (part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'),
  );
  if (!contained) throw Invalid.field(`${path}.path`, 'must be a relative path inside the package');
  if (!/^sha256:[0-9a-f]{64}$/.test(file?.digest ?? ''))
    throw Invalid.field(`${path}.digest`, 'must be sha256:<hex>');
};

/**
 * The package's files, read by `read` (a blob store) from its manifest. Each is verified; throws `Internal`
 * when a blob is not what its name says.
 */
export const readPackage = async (
  manifestBytes: Uint8Array,
  read: (digest: string) => Promise<Uint8Array>,
): Promise<PackageFiles> => {
  const manifest = parseManifest(manifestBytes);
  const contents = await Promise.all(
    manifest.files.map(async ({ path, digest }): Promise<[string, Uint8Array]> => {
      const bytes = await read(digest);
      if (digestOf(bytes) !== digest)
        throw new Internal(`${path} of the model package does not match ${digest}`);
      return [path, bytes];
    }),
  );
  return new Map(contents);
};

/** The files below `directory/`, with that prefix taken off. */
export const filesUnder = (files: PackageFiles, directory: string): PackageFiles =>
  new Map(
    [...files].flatMap(([path, bytes]) =>
      path.startsWith(`${directory}/`) ? [[path.slice(directory.length + 1), bytes] as const] : [],
    ),
  );

/** The files with `directory/` put in front of their paths. */
export const putUnder = (directory: string, files: PackageFiles): [string, Uint8Array][] =>
  [...files].map(([path, bytes]) => [`${directory}/${path}`, bytes]);
