import { asMillraceError } from '@millrace/errors';
import { count } from '@millrace/telemetry';
import type { BlobStore } from './port.ts';

type Operation = 'put' | 'get' | 'materialize';

const measured = async <R>(operation: Operation, work: () => Promise<R>): Promise<R> => {
  try {
    const result = await work();
    count('millrace_blob_operations_total', { operation, outcome: 'ok' });
    return result;
  } catch (thrown) {
    count('millrace_blob_operations_total', { operation, outcome: asMillraceError(thrown).code });
    throw thrown;
  }
};

/** The store, with its operations counted, and the bytes put. Those read are counted where they are verified. */
export const measuredBlobStore = (store: BlobStore): BlobStore => ({
  put: async (source, options) => {
    const info = await measured('put', () => store.put(source, options));
    count('millrace_blob_transferred_bytes_total', { operation: 'put' }, info.size);
    return info;
  },
  get: (digest) => measured('get', () => store.get(digest)),
  read: (digest, maxBytes) => measured('get', () => store.read(digest, maxBytes)),
  materialize: (digest, path, options) =>
    measured('materialize', () => store.materialize(digest, path, options)),
  has: (digest) => store.has(digest),
  delete: (digest) => store.delete(digest),
  list: (query) => store.list(query),
  retire: (digest) => store.retire(digest),
  listRetired: (query) => store.listRetired(query),
  purge: (digest) => store.purge(digest),
  stats: () => store.stats(),
  close: () => store.close(),
});
