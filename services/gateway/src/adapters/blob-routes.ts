import type { ServerResponse } from 'node:http';
import { type BlobStore, parseDigest, releasePiece } from '@millrace/blobs';
import { NotFound } from '@millrace/errors';
import { apiPrefix } from '@millrace/rest';
import type { FastifyInstance } from 'fastify';
import { cutWhenStalled, type StallOptions } from './stalled-reader.ts';

/** Bytes of one upload. */
const maxBlobBytes = 64 * 1024 ** 3;

interface DigestParams {
  Params: { digest: string };
}

/** Content-addressed upload and download; the digest is checked on both ways. */
export const registerBlobRoutes = async (
  app: FastifyInstance,
  blobs: BlobStore,
  stalls: StallOptions,
): Promise<void> => {
  const path = `${apiPrefix}/blobs/:digest`;
  app.head<DigestParams>(path, { config: { permission: 'read' } }, async (request, reply) => {
    const size = await blobs.has(parseDigest(request.params.digest));
    return size === undefined ? reply.code(404).send() : reply.header('content-length', size).send();
  });
  app.get<DigestParams>(
    path,
    { exposeHeadRoute: false, config: { permission: 'read' } },
    async (request, reply) => {
      const digest = parseDigest(request.params.digest);
      const size = await blobs.has(digest);
      if (size === undefined) throw new NotFound(`there is no blob ${digest}`);
      cutWhenStalled(reply.raw, digest, stalls);
      releaseWhenWritten(reply.raw);
      return (
        reply
          // A blob is somebody's data: a browser must never take it for a page of ours.
          .headers({
            'content-type': 'application/octet-stream',
            'content-length': size,
            'x-content-type-options': 'nosniff',
            'content-security-policy': 'sandbox',
            'cache-control': 'private, max-age=31536000, immutable',
            etag: `"${digest}"`,
          })
          .send(await blobs.get(digest))
      );
    },
  );
  await app.register(async (uploads) => {
    // The body is streamed to the store, never held in memory.
    uploads.removeAllContentTypeParsers();
    uploads.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    uploads.put<DigestParams>(
      path,
      { bodyLimit: maxBlobBytes, config: { permission: 'run' } },
      async (request) =>
        // A request without a body stores the empty blob.
        blobs.put((request.body as AsyncIterable<Uint8Array> | null) ?? new Uint8Array(), {
          expected: parseDigest(request.params.digest),
          maxBytes: maxBlobBytes,
          handedOver: true,
        }),
    );
  });
};

/** Frees the pieces of a stream that is piped into an answer, each once the connection has taken it. */
const releaseWhenWritten = (response: ServerResponse): void => {
  const write: (piece: Uint8Array, done: (error?: Error | null) => void) => boolean =
    response.write.bind(response);
  response.write = (piece: Uint8Array) =>
    write(piece, (error) => {
      if (!error) releasePiece(piece);
    });
};
