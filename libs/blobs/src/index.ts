export { type Digest, digestOf, isDigest, parseDigest } from './digest.ts';
export { type FsBlobStoreOptions, openFsBlobStore } from './fs-blob-store.ts';
export { type BlobSettings, openBlobStore, openS3BlobStore } from './open-blob-store.ts';
export type {
  BlobInfo,
  BlobPage,
  BlobSource,
  BlobStats,
  BlobStore,
  ListedBlob,
  ListQuery,
  MaterializeOptions,
  PutOptions,
} from './port.ts';
export { releasePiece } from './release-piece.ts';
export type { S3BlobStoreOptions } from './s3/s3-blob-store.ts';
export { parseS3Location, type S3Location } from './s3/s3-location.ts';
