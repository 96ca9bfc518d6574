import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';

/** Pages in the log after which SQLite moves them to their places and begins it anew. */
export const pagesPerCheckpoint = 1_000;

const headerBytes = 32;
const frameBytes = 24 + 4_096;
/** The commit that makes a checkpoint due may itself have many pages. */
const roomBytes = headerBytes + 1.1 * pagesPerCheckpoint * frameBytes;

/**
 * Gives a write-ahead log the length that it needs between two checkpoints, filled with zeros. As long as a file grows, each
 * fsync of it waits for the file system's own journal, and so for what others write: three times as long, one in ten ten
 * times. What follows the last frame does not carry the log's salts, and is nothing to SQLite
 * (https://sqlite.org/fileformat2.html#walformat).
 *
 * To be called while the write lock is held, so that nobody else adds to the log. Where there is no space it grows as it
 * needs to.
 */
export const makeLogRoom = (log: string): void => {
  let file: number | undefined;
  try {
    file = openSync(log, 'r+');
    fill(file, fstatSync(file).size);
  } catch {
    // It is for speed only: a disk that has no room for it may still have it for what is committed.
  } finally {
    if (file !== undefined) closeSync(file);
  }
};

const fill = (file: number, size: number): void => {
  if (size >= roomBytes) return;
  const zeros = Buffer.alloc(roomBytes - size);
  try {
    if (writeSync(file, zeros, 0, zeros.length, size) < zeros.length) ftruncateSync(file, size);
  } catch (thrown) {
    ftruncateSync(file, size);
    throw thrown;
  }
};
