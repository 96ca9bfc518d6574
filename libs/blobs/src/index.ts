export { type Digest, digestOf, isDigest, parseDigest } from './digest.ts';
export { type FsBlobStoreOptions, openFsBlobStore } from './fs-blob-store.ts';
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
