import { isMissingUpload, isTransient, isUnsupported } from './s3-error.ts';
import type { S3Objects } from './s3-objects.ts';

/**
 * Aborts uploads below a prefix of which no part arrived since `olderThanMs` (Unix time): leftovers of crashes. A
 * slow upload that still moves goes on. A server that does not answer now, or cannot list uploads, is left alone.
 */
export const sweepUploads = async (
  objects: S3Objects,
  prefix: string,
  olderThanMs: number,
): Promise<void> => {
  try {
    for await (const { key, uploadId, begunMs } of objects.uploads(prefix)) {
      if (begunMs > olderThanMs) continue;
      const lastMs = await lastSign(objects, key, uploadId);
      if (lastMs !== undefined && lastMs <= olderThanMs) await objects.abort(key, uploadId);
    }
  } catch (thrown) {
    if (!isTransient(thrown) && !isUnsupported(thrown)) throw thrown;
  }
};

/** `undefined` when another process ended it meanwhile. */
const lastSign = async (objects: S3Objects, key: string, uploadId: string): Promise<number | undefined> => {
  try {
    return await objects.lastPartMs(key, uploadId);
  } catch (thrown) {
    if (isMissingUpload(thrown)) return undefined;
    throw thrown;
  }
};
