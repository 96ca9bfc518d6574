import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { checksumOf } from './cut-parts.ts';
import { isMissing, isMissingUpload, isUnmet, isUnsupported } from './s3-error.ts';

/** What the server says of an object. */
export interface ObjectState {
  readonly size: number;
  readonly etag: string;
  /** SHA-256 as S3 writes it, when it was given one at the upload. */
  readonly checksum: string | undefined;
  readonly modifiedMs: number;
}

/** Parts on their way at once; with the one being cut they bound the memory of an upload. */
const parallelParts = 3;
/** A copy of more needs to be made part by part. */
const largestCopy = 5 * 1024 ** 3;
const copyPartBytes = 1024 ** 3;

/** The calls that blobs need of S3, on the keys of one bucket. */
export class S3Objects {
  readonly #client: S3Client;
  readonly #bucket: string;
  /** Found out at the first conditional write. */
  #knowsConditions = true;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async head(key: string): Promise<ObjectState | undefined> {
    try {
      const found = await this.#client.send(
        new HeadObjectCommand({ ...this.#at(key), ChecksumMode: 'ENABLED' }),
      );
      return {
        size: found.ContentLength ?? 0,
        etag: found.ETag ?? '',
        checksum: found.ChecksumSHA256,
        modifiedMs: found.LastModified?.getTime() ?? 0,
      };
    } catch (thrown) {
      if (isMissing(thrown)) return undefined;
      throw thrown;
    }
  }

  /** The content from a position on. */
  get(key: string, from: number): Promise<GetObjectCommandOutput> {
    const range = from === 0 ? {} : { Range: `bytes=${from}-` };
    return this.#client.send(new GetObjectCommand({ ...this.#at(key), ...range }));
  }

  /** Writes an object whose checksum the server compares. `false` when it is to be new and is not. */
  put(key: string, bytes: Uint8Array, { onlyNew }: { readonly onlyNew: boolean }): Promise<boolean> {
    return this.#conditionally(onlyNew, (condition) =>
      this.#client.send(
        new PutObjectCommand({
          ...this.#at(key),
          ...condition,
          Body: bytes,
          ContentLength: bytes.length,
          ChecksumSHA256: checksumOf(bytes),
        }),
      ),
    );
  }

  /**
   * Writes an object part by part. It appears when all are there and `verify` has not thrown; else nothing stays.
   * One that is there and that `isStored` finds whole was written meanwhile, by somebody else or by this upload,
   * whose answer was lost; any other is written over.
   */
  async putParts(
    key: string,
    parts: AsyncIterable<Buffer>,
    { isStored, verify }: { readonly isStored: () => Promise<boolean>; readonly verify: () => void },
  ): Promise<void> {
    const onlyNew = (await this.head(key)) === undefined;
    const uploadId = await this.#begin(key);
    try {
      const completed = await this.#sendParts(key, uploadId, parts);
      verify();
      const isNew = await this.#complete(key, uploadId, completed, onlyNew).catch(async (thrown: unknown) => {
        if (isMissingUpload(thrown) && (await isStored())) return true;
        throw thrown;
      });
      if (isNew) return;
      if (await isStored()) await this.abort(key, uploadId);
      else await this.#complete(key, uploadId, completed, false);
    } catch (thrown) {
      await this.abort(key, uploadId).catch(() => {});
      throw thrown;
    }
  }

  async delete(key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(this.#at(key)));
  }

  /** Copies an object within the server, also onto itself, which renews its age. `false` when there is none. */
  async copy(from: string, to: string, size: number): Promise<boolean> {
    try {
      if (size > largestCopy) await this.#copyParts(from, to, size);
      else {
        await this.#client.send(
          new CopyObjectCommand({
            ...this.#at(to),
            CopySource: this.#source(from),
            MetadataDirective: 'REPLACE',
          }),
        );
      }
      return true;
    } catch (thrown) {
      if (isMissing(thrown)) return false;
      throw thrown;
    }
  }

  list(prefix: string, after: string, limit: number): Promise<ListObjectsV2CommandOutput> {
    return this.#client.send(
      new ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: prefix,
        MaxKeys: limit,
        ...(after === '' ? {} : { StartAfter: after }),
      }),
    );
  }

  /** Uploads below a prefix that were begun and neither completed nor aborted. */
  async *uploads(prefix: string): AsyncGenerator<{ key: string; uploadId: string; begunMs: number }> {
    let marker: { KeyMarker?: string; UploadIdMarker?: string } = {};
    for (;;) {
      const page = await this.#client.send(
        new ListMultipartUploadsCommand({ Bucket: this.#bucket, Prefix: prefix, ...marker }),
      );
      for (const { Key: key, UploadId: uploadId, Initiated } of page.Uploads ?? []) {
        if (key !== undefined && uploadId !== undefined) {
          yield { key, uploadId, begunMs: Initiated?.getTime() ?? 0 };
        }
      }
      if (page.IsTruncated !== true || page.NextKeyMarker === undefined) return;
      marker = {
        KeyMarker: page.NextKeyMarker,
        ...(page.NextUploadIdMarker === undefined ? {} : { UploadIdMarker: page.NextUploadIdMarker }),
      };
    }
  }

  /** When the last part of an upload arrived, Unix milliseconds; 0 without one. */
  async lastPartMs(key: string, uploadId: string): Promise<number> {
    let last = 0;
    let marker: string | undefined;
    for (;;) {
      const page = await this.#client.send(
        new ListPartsCommand({
          ...this.#at(key),
          UploadId: uploadId,
          ...(marker === undefined ? {} : { PartNumberMarker: marker }),
        }),
      );
      for (const { LastModified } of page.Parts ?? []) last = Math.max(last, LastModified?.getTime() ?? 0);
      if (page.IsTruncated !== true || page.NextPartNumberMarker === undefined) return last;
      marker = page.NextPartNumberMarker;
    }
  }

  /** Takes away the parts of an upload; one that is gone is fine. */
  async abort(key: string, uploadId: string): Promise<void> {
    try {
      await this.#client.send(new AbortMultipartUploadCommand({ ...this.#at(key), UploadId: uploadId }));
    } catch (thrown) {
      if (!isMissingUpload(thrown)) throw thrown;
    }
  }

  close(): void {
    this.#client.destroy();
  }

  #at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: key };
  }

  #source(key: string): string {
    return `${this.#bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
  }

  async #begin(key: string): Promise<string> {
    const { UploadId } = await this.#client.send(
      new CreateMultipartUploadCommand({ ...this.#at(key), ChecksumAlgorithm: 'SHA256' }),
    );
    if (UploadId === undefined) throw new Error('the server began an upload without an id');
    return UploadId;
  }

  async #sendParts(key: string, uploadId: string, parts: AsyncIterable<Buffer>): Promise<CompletedPart[]> {
    const completed: CompletedPart[] = [];
    const underWay = new Set<Promise<void>>();
    let failure: { readonly thrown: unknown } | undefined;
    try {
      for await (const part of parts) {
        const number = completed.push({});
        const sending = this.#sendPart(key, uploadId, number, part)
          .then(
            (done) => {
              completed[number - 1] = done;
            },
            (thrown: unknown) => {
              failure ??= { thrown };
            },
          )
          .finally(() => underWay.delete(sending));
        underWay.add(sending);
        if (underWay.size >= parallelParts) await Promise.race(underWay);
        if (failure !== undefined) break;
      }
    } finally {
      // An upload cannot be aborted for good while parts of it are still arriving.
      await Promise.all(underWay);
    }
    if (failure !== undefined) throw failure.thrown;
    return completed;
  }

  async #sendPart(key: string, uploadId: string, number: number, part: Buffer): Promise<CompletedPart> {
    const ChecksumSHA256 = checksumOf(part);
    const { ETag } = await this.#client.send(
      new UploadPartCommand({
        ...this.#at(key),
        UploadId: uploadId,
        PartNumber: number,
        Body: part,
        ContentLength: part.length,
        ChecksumSHA256,
      }),
    );
    return { PartNumber: number, ChecksumSHA256, ...(ETag === undefined ? {} : { ETag }) };
  }

  #complete(key: string, uploadId: string, parts: CompletedPart[], onlyNew: boolean): Promise<boolean> {
    return this.#conditionally(onlyNew, (condition) =>
      this.#client.send(
        new CompleteMultipartUploadCommand({
          ...this.#at(key),
          ...condition,
          UploadId: uploadId,
          MultipartUpload: { Parts: parts },
        }),
      ),
    );
  }

  /** Without the condition on servers that do not know it: the same content may be written over itself. */
  async #conditionally(
    onlyNew: boolean,
    send: (condition: { IfNoneMatch?: '*' }) => Promise<unknown>,
  ): Promise<boolean> {
    const isConditional = onlyNew && this.#knowsConditions;
    try {
      await send(isConditional ? { IfNoneMatch: '*' } : {});
      return true;
    } catch (thrown) {
      if (isConditional && isUnmet(thrown)) return false;
      if (!isConditional || !isUnsupported(thrown)) throw thrown;
      this.#knowsConditions = false;
      await send({});
      return true;
    }
  }

  async #copyParts(from: string, to: string, size: number): Promise<void> {
    const uploadId = await this.#begin(to);
    try {
      const parts: CompletedPart[] = [];
      for (let start = 0; start < size; start += copyPartBytes) {
        const { CopyPartResult } = await this.#client.send(
          new UploadPartCopyCommand({
            ...this.#at(to),
            CopySource: this.#source(from),
            CopySourceRange: `bytes=${start}-${Math.min(start + copyPartBytes, size) - 1}`,
            UploadId: uploadId,
            PartNumber: parts.length + 1,
          }),
        );
        const { ETag, ChecksumSHA256 } = CopyPartResult ?? {};
        parts.push({
          PartNumber: parts.length + 1,
          ...(ETag === undefined ? {} : { ETag }),
          ...(ChecksumSHA256 === undefined ? {} : { ChecksumSHA256 }),
        });
      }
      await this.#complete(to, uploadId, parts, false);
    } catch (thrown) {
      await this.abort(to, uploadId).catch(() => {});
      throw thrown;
    }
  }
}
