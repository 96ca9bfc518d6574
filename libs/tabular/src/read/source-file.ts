import { open } from 'node:fs/promises';
import { constants, createGunzip } from 'node:zlib';
import { Invalid } from '@millrace/errors';

/** A file to read, and how its user calls it. */
export interface SourceFile {
  /** On this machine, inside a directory that the session may reach. */
  readonly path: string;
  /** A path in the project or a URL: what messages name. */
  readonly label: string;
}

/** The beginning of a file, unpacked, and how it is packed. */
export interface FileHead {
  readonly bytes: Buffer;
  readonly compression: 'none' | 'gzip';
  /** Whether `bytes` is the whole content. */
  readonly whole: boolean;
}

const headBytes = 256 * 1024;

/** Reads the beginning of a file. Throws `Invalid` naming the file when it holds no byte. */
export const readHead = async (file: SourceFile): Promise<FileHead> => {
  const raw = await firstBytes(file.path);
  if (raw.length === 0) throw emptyFile(file.label);
  if (raw[0] !== 0x1f || raw[1] !== 0x8b) {
    return { bytes: raw, compression: 'none', whole: raw.length < headBytes };
  }
  const bytes = await unpackHead(raw, file.label);
  if (bytes.length === 0) throw emptyFile(file.label);
  return { bytes, compression: 'gzip', whole: raw.length < headBytes };
};

const emptyFile = (label: string): Invalid =>
  Invalid.field(label, 'the file is empty', { hint: 'Give a file with a header line and at least one row.' });

const firstBytes = async (path: string): Promise<Buffer> => {
  await using handle = await open(path, 'r');
  const buffer = Buffer.alloc(headBytes);
  let length = 0;
  while (length < headBytes) {
    const { bytesRead } = await handle.read(buffer, length, headBytes - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
};

/** Unpacks at most `headBytes`: a small packed file may unfold to any size. */
const unpackHead = async (raw: Buffer, label: string): Promise<Buffer> => {
  // The head ends anywhere in the packed stream, so a missing end is no error.
  const gunzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
  gunzip.end(raw);
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of gunzip) {
      parts.push(part);
      length += part.length;
      if (length >= headBytes) break;
    }
  } catch (error) {
    throw Invalid.field(label, 'the file is not readable gzip', { cause: error });
  }
  return Buffer.concat(parts).subarray(0, headBytes);
};
