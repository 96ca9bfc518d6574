/** Numbers are padded so that keys of one window share a prefix that no other window has, in order. */
export const windowPrefix = (endpoint: string, number: number): string =>
  `${endpoint}/${String(number).padStart(10, '0')}/`;

export const partKey = (endpoint: string, number: number, part: string): string =>
  `${windowPrefix(endpoint, number)}${part}`;
