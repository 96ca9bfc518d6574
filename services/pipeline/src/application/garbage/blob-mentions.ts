import { type BlobStore, type Digest, parseDigest } from '@millrace/blobs';
import { asMillraceError, ErrorCode } from '@millrace/errors';
import { mentionsIn } from '@millrace/service-kit';
import type { Collection } from '@millrace/store';
import type { BlobMentions } from '../../domain/garbage/marking.ts';

/** What a blob was found to speak of; it never changes. */
export type StoredMentions = BlobMentions;

/** Manifests, profiles and reports are smaller; anything larger is data. */
const maxTextBytes = 16 * 1024 * 1024;
const nothing: BlobMentions = { references: [], hints: [] };

/**
 * Reads what a blob speaks of, once in its life: a file of a manifest is needed with it, any other digest in a JSON
 * text keeps its blob too. `undefined` when there is no such blob.
 */
export const mentionsOfBlob = async (
  blobs: BlobStore,
  known: Collection<StoredMentions>,
  digest: Digest,
): Promise<BlobMentions | undefined> => {
  const size = await blobs.has(digest);
  if (size === undefined) return undefined;
  const stored = await known.get(digest);
  if (stored !== undefined) return stored.document;
  const found = size > maxTextBytes ? nothing : await readMentions(blobs, digest, size);
  if (found === undefined) return undefined;
  await known.update(digest, (current) => (current === undefined ? { document: found } : undefined));
  return found;
};

const readMentions = async (
  blobs: BlobStore,
  digest: Digest,
  size: number,
): Promise<BlobMentions | undefined> => {
  try {
    if (size > 0 && !(await looksLikeJson(blobs, digest))) return nothing;
    const parsed = parseJson(await blobs.read(parseDigest(digest), maxTextBytes));
    if (parsed === undefined) return nothing;
    const files = filesOf(parsed);
    const { references, hints } = mentionsIn(parsed);
    const others = [...references, ...hints].filter(
      (text) => text.startsWith('sha256:') && !files.includes(text),
    );
    return { references: files, hints: others };
  } catch (thrown) {
    if (asMillraceError(thrown).code === ErrorCode.notFound) return undefined;
    throw thrown;
  }
};

const looksLikeJson = async (blobs: BlobStore, digest: Digest): Promise<boolean> => {
  for await (const chunk of await blobs.get(digest)) {
    return /^\s*[[{]/.test(new TextDecoder().decode((chunk as Uint8Array).subarray(0, 1_024)));
  }
  return false;
};

const parseJson = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
};

/** Of a manifest, as projects and model packages have them. */
const filesOf = (parsed: unknown): readonly string[] => {
  const files = (parsed as { readonly files?: unknown } | null)?.files;
  if (!Array.isArray(files)) return [];
  return files.flatMap((file: { readonly digest?: unknown } | null) =>
    typeof file?.digest === 'string' && file.digest.startsWith('sha256:') ? [file.digest] : [],
  );
};
