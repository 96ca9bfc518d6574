/** Bounds what is remembered: beyond `most` the entry that has been there for longest goes. To be called after each addition. */
export const forgetOldest = <K>(remembered: Map<K, unknown> | Set<K>, most: number): void => {
  if (remembered.size <= most) return;
  for (const oldest of remembered.keys()) {
    remembered.delete(oldest);
    return;
  }
};
