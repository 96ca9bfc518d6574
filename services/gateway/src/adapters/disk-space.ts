import { statfs } from 'node:fs/promises';
import { Exhausted } from '@millrace/errors';
import { apiPrefix } from '@millrace/rest';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Free bytes below which nothing is begun that would need space in the middle of its work. */
const leastFreeBytes = 16 * 1024 ** 2;

/** What begins work or brings bytes. Everything else goes on, a rollback above all. */
const needsSpace: readonly { readonly method: string; readonly path: RegExp }[] = [
  { method: 'POST', path: new RegExp(`^${apiPrefix}/runs$`) },
  { method: 'POST', path: new RegExp(`^${apiPrefix}/runs/[^/]+/resume$`) },
  { method: 'PUT', path: new RegExp(`^${apiPrefix}/(projects|blobs/.+)$`) },
];

/**
 * Refuses new runs and uploads while the disk of the data directory is about full, so that their caller is told at
 * once instead of waiting in the middle of a run until there is space.
 */
export const refuseWhenDiskIsFull = (app: FastifyInstance, directory: string): void => {
  app.addHook('onRequest', (request, _reply, done) => {
    if (takesSpace(request)) refuseWhenFull(directory).then(() => done(), done);
    else done();
  });
};

const takesSpace = ({ method, url }: FastifyRequest): boolean => {
  if (!url.startsWith(apiPrefix)) return false;
  const path = url.split('?')[0] ?? '';
  return needsSpace.some((route) => route.method === method && route.path.test(path));
};

const refuseWhenFull = async (directory: string): Promise<void> => {
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  if (free >= leastFreeBytes) return;
  throw new Exhausted(`the disk is full: ${(free / 1024 ** 2).toFixed(1)} MB are free below ${directory}`, {
    hint: 'Free some space, then try again; nothing was changed.',
  });
};
