import type { BlobPage, BlobStore, Digest, ListedBlob, ListQuery } from '@millrace/blobs';

/** A store of blobs whose ages follow a clock of the test's own; every call tells `onCall` first. */
export const timedBlobs = (inner: BlobStore, now: () => number, onCall: () => Promise<void>): BlobStore => {
  const storedAt = new Map<string, number>();
  const retiredAt = new Map<string, number>();
  const used = (digest: Digest): void => {
    if (retiredAt.delete(digest)) storedAt.set(digest, now());
  };
  const dated = (page: BlobPage, times: ReadonlyMap<string, number>): BlobPage => ({
    ...page,
    items: page.items.map(
      (item): ListedBlob => ({ ...item, storedAt: new Date(times.get(item.digest) ?? 0).toISOString() }),
    ),
  });
  return {
    put: async (source, options) => {
      const info = await inner.put(source, options);
      storedAt.set(info.digest, now());
      return info;
    },
    get: async (digest) => {
      await onCall();
      const stream = await inner.get(digest);
      used(digest);
      return stream;
    },
    read: async (digest, maxBytes) => {
      await onCall();
      const bytes = await inner.read(digest, maxBytes);
      used(digest);
      return bytes;
    },
    has: async (digest) => {
      await onCall();
      const size = await inner.has(digest);
      used(digest);
      return size;
    },
    materialize: (digest, path, options) => inner.materialize(digest, path, options),
    delete: (digest) => inner.delete(digest),
    list: async (query?: ListQuery) => {
      await onCall();
      return dated(await inner.list(query), storedAt);
    },
    retire: async (digest) => {
      await onCall();
      const done = await inner.retire(digest);
      if (done) retiredAt.set(digest, now());
      return done;
    },
    listRetired: async (query?: ListQuery) => {
      await onCall();
      return dated(await inner.listRetired(query), retiredAt);
    },
    purge: async (digest) => {
      await onCall();
      return inner.purge(digest);
    },
    stats: () => inner.stats(),
    close: () => inner.close(),
  };
};
