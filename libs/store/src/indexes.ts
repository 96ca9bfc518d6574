import { Invalid } from '@millrace/errors';
import { isPlainObject } from './json.ts';
import type { CollectionDefinition, Index } from './port.ts';

export type ValueType = 'text' | 'number';

/** A value as an index holds it; a boolean is indexed as the number 0 or 1. */
export type IndexedValue = string | number;

export interface FieldIndex {
  readonly path: string;
  readonly type: ValueType;
  readonly unique: boolean;
}

export interface MapIndex {
  readonly map: string;
  readonly type: ValueType;
}

/** The indexes of a checked definition, sorted by path so that their order does not matter. */
export interface Indexes {
  readonly fields: readonly FieldIndex[];
  readonly maps: readonly MapIndex[];
}

/** What the indexes hold of one document, in the order of `Indexes`. */
export interface IndexEntries {
  readonly fields: readonly (IndexedValue | null)[];
  readonly maps: readonly ReadonlyMap<string, IndexedValue>[];
}

const namePattern = /^[a-z][a-z0-9_]{0,62}$/;
const pathPattern = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/;

const pathOf = (index: Index): string => ('map' in index ? index.map : index.path);

const checkIndex = (index: Index, position: number): void => {
  const field = `indexes[${position}]`;
  if (!pathPattern.test(pathOf(index))) {
    throw Invalid.field(field, `"${pathOf(index)}" is not a dotted path of names`);
  }
  const type = 'map' in index ? index.values : index.type;
  if (type !== 'text' && type !== 'number') throw Invalid.field(field, `"${type}" is not text or number`);
};

/** Checks a definition and sorts its indexes. Throws `Invalid` on a bad name, path or type, or a repetition. */
export const indexesOf = (definition: CollectionDefinition): Indexes => {
  if (!namePattern.test(definition.name)) {
    throw Invalid.field('name', `"${definition.name}" is not 1 to 63 of a-z, 0-9 and _, first a letter`);
  }
  const declared = definition.indexes ?? [];
  declared.forEach(checkIndex);
  const paths = declared.map(pathOf);
  const repeated = paths.find((path, position) => paths.indexOf(path) !== position);
  if (repeated !== undefined) throw Invalid.field('indexes', `"${repeated}" is declared twice`);
  const sorted = declared.toSorted((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1));
  return {
    fields: sorted
      .filter((index) => 'path' in index)
      .map(({ path, type, unique }) => ({ path, type, unique: unique ?? false })),
    maps: sorted.filter((index) => 'map' in index).map(({ map, values }) => ({ map, type: values })),
  };
};

const readPath = (document: unknown, path: string): unknown => {
  let value = document;
  for (const name of path.split('.')) {
    if (!isPlainObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
};

/** The form in which an index holds `value`, or `undefined` where the type does not fit. */
export const asIndexed = (value: unknown, type: ValueType): IndexedValue | undefined => {
  if (type === 'text') return typeof value === 'string' ? value : undefined;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'number' ? value : undefined;
};

const entryOf = (value: unknown, type: ValueType, path: string): IndexedValue | null => {
  if (value === undefined || value === null) return null;
  const indexed = asIndexed(value, type);
  if (indexed !== undefined) return indexed;
  throw Invalid.field(`document.${path}`, `is indexed as ${type} and holds something else`);
};

const mapEntries = (document: unknown, { map, type }: MapIndex): ReadonlyMap<string, IndexedValue> => {
  const entries = new Map<string, IndexedValue>();
  const value = readPath(document, map);
  if (value === undefined || value === null) return entries;
  if (!isPlainObject(value))
    throw Invalid.field(`document.${map}`, 'is indexed as a map and is not an object');
  for (const [name, item] of Object.entries(value)) {
    const entry = entryOf(item, type, `${map}[${JSON.stringify(name)}]`);
    if (entry !== null) entries.set(name, entry);
  }
  return entries;
};

/** Throws `Invalid` where the document holds another type than its definition declares. */
export const indexEntries = (indexes: Indexes, document: unknown): IndexEntries => ({
  fields: indexes.fields.map(({ path, type }) => entryOf(readPath(document, path), type, path)),
  maps: indexes.maps.map((index) => mapEntries(document, index)),
});
