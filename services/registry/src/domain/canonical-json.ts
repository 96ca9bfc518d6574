import type { Json } from '@millrace/store';

/**
 * JSON with one spelling per value: no white space, members sorted by UTF-16 code units, numbers and strings as
 * ECMAScript writes them (RFC 8785). Members that are `undefined` are left out, as JSON does.
 */
export const canonicalJson = (value: Json | undefined): string => {
  if (value === null || typeof value !== 'object') return JSON.stringify(value ?? null);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value as { readonly [key: string]: Json | undefined })
    .filter(([, member]) => member !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
};
