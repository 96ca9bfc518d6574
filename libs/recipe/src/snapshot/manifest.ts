import { Invalid, type Violation } from '@millrace/errors';
import { normalizeProjectPath } from './project-path.ts';

export interface ManifestFile {
  /** Normalised; see `normalizeProjectPath`. */
  readonly path: string;
  /** `sha256:<hex>` */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/** The files of a project snapshot; stored as a blob, whose digest names the snapshot. */
export interface Manifest {
  /** In order of path, each path once. */
  readonly files: readonly ManifestFile[];
}

export interface ManifestLimits {
  readonly maxFiles: number;
  /** Bytes of one file. */
  readonly maxFileSize: number;
  /** Bytes of all files. */
  readonly maxTotalSize: number;
}

const gibibyte = 2 ** 30;
export const manifestLimits: ManifestLimits = {
  maxFiles: 5000,
  maxFileSize: 4 * gibibyte,
  maxTotalSize: 16 * gibibyte,
};

const digestPattern = /^sha256:[0-9a-f]{64}$/;

/**
 * Makes the manifest of files, in one order whatever order they come in. Throws `Invalid` with a violation for
 * each path that leaves the project or stands there twice, each bad digest or size, and each limit passed.
 */
export const buildManifest = (
  files: readonly ManifestFile[],
  limits: ManifestLimits = manifestLimits,
): Manifest => {
  const violations: Violation[] = [];
  const byPath = new Map<string, ManifestFile>();
  for (const file of files) {
    const path = normalized(file.path, violations);
    if (path === undefined) continue;
    if (byPath.has(path)) violations.push({ path, message: 'stands in the snapshot twice' });
    violations.push(...fileViolations({ ...file, path }, limits));
    byPath.set(path, { path, digest: file.digest, size: file.size });
  }
  violations.push(...totalViolations([...byPath.values()], limits));
  if (violations.length > 0) {
    throw new Invalid(`project snapshot: ${violations[0]?.path}: ${violations[0]?.message}`, { violations });
  }
  return { files: [...byPath.values()].sort((left, right) => (left.path < right.path ? -1 : 1)) };
};

const normalized = (path: string, violations: Violation[]): string | undefined => {
  try {
    return normalizeProjectPath(path);
  } catch (thrown) {
    if (!(thrown instanceof Invalid)) throw thrown;
    violations.push(...thrown.violations);
    return undefined;
  }
};

const fileViolations = (
  { path, digest, size }: ManifestFile,
  limits: ManifestLimits,
): readonly Violation[] => {
  const violations: Violation[] = [];
  if (!digestPattern.test(digest))
    violations.push({ path, message: 'its digest is not sha256:<64 hex digits>' });
  if (!Number.isSafeInteger(size) || size < 0)
    violations.push({ path, message: 'its size is not a whole number' });
  if (size > limits.maxFileSize)
    violations.push({ path, message: `is larger than ${limits.maxFileSize} bytes` });
  return violations;
};

const totalViolations = (files: readonly ManifestFile[], limits: ManifestLimits): readonly Violation[] => {
  const total = files.reduce((sum, file) => sum + file.size, 0);
  const violations: Violation[] = [];
  if (files.length > limits.maxFiles) {
    violations.push({ path: 'files', message: `are more than ${limits.maxFiles}` });
  }
  if (total > limits.maxTotalSize) {
    violations.push({ path: 'files', message: `are together larger than ${limits.maxTotalSize} bytes` });
  }
  return violations;
};

/** The bytes of the manifest blob: equal snapshots give equal bytes. */
export const encodeManifest = (manifest: Manifest): Uint8Array =>
  new TextEncoder().encode(JSON.stringify({ files: manifest.files }));

/** Reads a manifest blob and checks it like `buildManifest`; fields that it does not know are ignored. */
export const decodeManifest = (bytes: Uint8Array): Manifest => {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Invalid('the manifest of the project snapshot is not JSON');
  }
  const files = (json as { files?: unknown } | null)?.files;
  if (!Array.isArray(files)) throw Invalid.field('files', 'must be a list');
  return buildManifest(
    files.map((file: unknown) => {
      const { path, digest, size } = (file ?? {}) as Record<string, unknown>;
      return { path: String(path), digest: String(digest), size: Number(size) };
    }),
  );
};
