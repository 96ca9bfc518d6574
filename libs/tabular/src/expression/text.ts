/** Order of text by code points, which is the byte order of UTF-8 and so DuckDB's; `<` would order UTF-16 units. */
export const compareText = (left: string, right: string): number => {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const difference = rank(left.charCodeAt(index)) - rank(right.charCodeAt(index));
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
};

/** Surrogates stand for code points above all others of one unit. */
const rank = (unit: number): number => {
  if (unit >= 0xe000) return unit - 0x800;
  return unit >= 0xd800 ? unit + 0x2000 : unit;
};

/** Case mapping of single code points, as DuckDB does it; one that would become several stays as it is. */
export const mapCase = (text: string, map: (character: string) => string): string =>
  Array.from(text, (character) => {
    const mapped = map(character);
    return [...mapped].length === 1 ? mapped : character;
  }).join('');
