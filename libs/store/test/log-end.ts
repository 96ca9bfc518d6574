const headerBytes = 32;
const frameHeaderBytes = 24;
const magic = 0x37_7f_06_82;

/**
 * Where the frames of SQLite's write-ahead log end that belong to its present round, bytes; 0 where there is no log. What
 * follows is room that was made beforehand, or left from an earlier round (https://sqlite.org/fileformat2.html#walformat).
 */
export const logEnd = (log: Buffer): number => {
  // The lowest bit says in which order of bytes the checksums are.
  if (log.length < headerBytes || (log.readUInt32BE(0) & ~1) >>> 0 !== magic) return 0;
  const frameBytes = frameHeaderBytes + log.readUInt32BE(8);
  const salts = log.subarray(16, 24);
  let end = headerBytes;
  while (end + frameBytes <= log.length && log.subarray(end + 8, end + 16).equals(salts)) end += frameBytes;
  return end;
};
