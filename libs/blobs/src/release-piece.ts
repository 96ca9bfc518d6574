/**
 * Frees the memory of a piece that nobody needs any more. Left to the garbage collector, every few dozen MiB that pass
 * through cost one collection of the whole heap, which in a process with a large heap takes longer than all the rest. A
 * piece that shares its memory is left alone.
 */
export const releasePiece = ({ buffer, byteLength }: Uint8Array): void => {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
};
