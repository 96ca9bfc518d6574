import { join } from 'node:path';
import { Invalid } from '@millrace/errors';
import { openFsBlobStore } from './fs-blob-store.ts';
import { measuredBlobStore } from './measured-blob-store.ts';
import type { BlobStore } from './port.ts';
import type { S3BlobStoreOptions } from './s3/s3-blob-store.ts';
import { parseS3Location } from './s3/s3-location.ts';

export interface BlobSettings {
  /** `fs:<directory>`, or `s3://bucket/prefix?endpoint=…&region=…&pathStyle=true`. */
  readonly url: string;
  /** Directory of this machine below which copies of remote blobs are kept. */
  readonly dataDir: string;
  /** Bytes of such copies. */
  readonly maxCopyBytes?: number;
}

const FS = 'fs:';

/** Opens a store in S3: see `S3BlobStoreOptions`. Its client is loaded only here, where it is wanted. */
export const openS3BlobStore = async (options: S3BlobStoreOptions): Promise<BlobStore> => {
  const adapter = await import('./s3/s3-blob-store.ts');
  return adapter.openS3BlobStore(options);
};

/** Opens the store that the address names. @throws Invalid on another address. */
export const openBlobStore = async (settings: BlobSettings): Promise<BlobStore> =>
  measuredBlobStore(await openUnmeasured(settings));

const openUnmeasured = async ({ url, dataDir, maxCopyBytes }: BlobSettings): Promise<BlobStore> => {
  if (url.startsWith(FS)) return openFsBlobStore({ directory: url.slice(FS.length) });
  if (!url.startsWith('s3://')) throw Invalid.field('MILLRACE_BLOBS_URL', 'must begin with fs: or s3://');
  return openS3BlobStore({
    location: parseS3Location(url),
    copiesDirectory: join(dataDir, 'blob-copies'),
    ...(maxCopyBytes === undefined ? {} : { maxCopyBytes }),
  });
};
