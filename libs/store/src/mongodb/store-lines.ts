import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BSON, type Document } from 'mongodb';

/** A document of a store's copy, and the collection of the database that it is of. */
export interface CopiedDocument {
  readonly collection: string;
  readonly document: Document;
}

/** With the type of every number (`$numberInt`, `$numberLong`, `$numberDouble`). */
const exact = { relaxed: false } as const;

/** Writes one line of canonical Extended JSON per document to a new file, which is on the disk when this resolves. */
export const writeStoreLines = (path: string, documents: AsyncIterable<CopiedDocument>): Promise<void> => {
  const lines = async function* () {
    for await (const document of documents) yield `${BSON.EJSON.stringify(document, exact)}\n`;
  };
  // Without a read-ahead: a document may have 16 MiB.
  const source = Readable.from(lines(), { highWaterMark: 1 });
  return pipeline(source, createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true }));
};

/**
 * The lines of a store's copy, which is never in memory as a whole. Only a line feed ends a line: `node:readline` would
 * also end one at U+2028, which JSON may hold as it is.
 */
export const linesOfMongoStore = async function* (path: string): AsyncGenerator<string> {
  let parts: string[] = [];
  for await (const chunk of createReadStream(path, { encoding: 'utf8' }) as AsyncIterable<string>) {
    const [first = '', ...others] = chunk.split('\n');
    parts.push(first);
    for (const next of others) {
      yield parts.join('');
      parts = [next];
    }
  }
  const last = parts.join('');
  if (last !== '') yield last;
};

export const parseStoreLine = (line: string): CopiedDocument =>
  BSON.EJSON.parse(line, exact) as unknown as CopiedDocument;
