import type { IndexEntries, IndexedValue, Indexes } from '../indexes.ts';
import type { Database, Row } from './database.ts';
import { documentTable, fieldColumn, mapTable } from './names.ts';

export interface DocumentRow extends Row {
  readonly key: string;
  readonly version: number;
  readonly document: string;
}

/** The rows of one collection with their index entries. Writing is for use within a transaction. */
export class DocumentTable {
  readonly #database: Database;
  readonly #collection: string;
  readonly #maps: readonly string[];
  readonly #sql: Readonly<Record<'get' | 'getMany' | 'insert' | 'restore' | 'update' | 'delete', string>>;

  constructor(database: Database, collection: string, { fields, maps }: Indexes) {
    this.#database = database;
    this.#collection = collection;
    this.#maps = maps.map(({ map }) => mapTable(collection, map));
    const table = documentTable(collection);
    const columns = fields.map(({ path }) => fieldColumn(path));
    const names = ['key', 'version', 'document', ...columns].join(', ');
    const marks = columns.map(() => ', ?').join('');
    this.#sql = {
      get: `SELECT key, version, document FROM ${table} WHERE key = ?`,
      getMany: `SELECT key, version, document FROM ${table} WHERE key IN (SELECT value FROM json_each(?))`,
      insert: `INSERT INTO ${table} (${names}) VALUES (?, 1 + coalesce(
          (SELECT version FROM tombstones WHERE collection = ? AND key = ?), 0), ?${marks})
        ON CONFLICT (key) DO NOTHING RETURNING version`,
      restore: `INSERT INTO ${table} (${names}) VALUES (?, ?, ?${marks})`,
      update: `UPDATE ${table} SET ${['version = version + 1', 'document = ?', ...columns.map((column) => `${column} = ?`)].join(', ')}
        WHERE key = ? AND version = ?`,
      delete: `DELETE FROM ${table} WHERE key = ? AND version = ?`,
    };
  }

  get(key: string): DocumentRow | undefined {
    return this.#database.get<DocumentRow>(this.#sql.get, key);
  }

  /** In no particular order. */
  getMany(keys: readonly string[]): readonly DocumentRow[] {
    return this.#database.all<DocumentRow>(this.#sql.getMany, JSON.stringify(keys));
  }

  /** Writes the document over version `expected` (0: none). Returns its version, or `undefined` on a conflict. */
  put(key: string, expected: number, document: string, entries: IndexEntries): number | undefined {
    return expected === 0
      ? this.#insert(key, document, entries)
      : this.#update(key, expected, document, entries);
  }

  /** Deletes version `expected`. Returns the version that the key counts now, or `undefined` on a conflict. */
  remove(key: string, expected: number): number | undefined {
    if (expected === 0) {
      if (this.get(key) !== undefined) return undefined;
    } else {
      if (this.#database.run(this.#sql.delete, key, expected) === 0) return undefined;
      for (const table of this.#maps) this.#database.run(`DELETE FROM ${table} WHERE key = ?`, key);
    }
    return this.#bury(key, expected);
  }

  /** Writes a row as it was in an earlier table. */
  restore(key: string, version: number, document: string, entries: IndexEntries): void {
    this.#database.run(this.#sql.restore, key, version, document, ...entries.fields);
    this.#insertMaps(key, entries);
  }

  #insert(key: string, document: string, entries: IndexEntries): number | undefined {
    const version = this.#database.write<{ version: number }>(
      this.#sql.insert,
      key,
      this.#collection,
      key,
      document,
      ...entries.fields,
    )?.version;
    if (version === undefined) return undefined;
    // Above 1 there was a tombstone, and the document takes over its count.
    if (version > 1) {
      this.#database.run('DELETE FROM tombstones WHERE collection = ? AND key = ?', this.#collection, key);
    }
    this.#insertMaps(key, entries);
    return version;
  }

  #update(key: string, expected: number, document: string, entries: IndexEntries): number | undefined {
    const changes = this.#database.run(this.#sql.update, document, ...entries.fields, key, expected);
    if (changes === 0) return undefined;
    this.#maps.forEach((table, index) => {
      this.#updateMap(table, key, entries.maps[index]!);
    });
    return expected + 1;
  }

  #bury(key: string, expected: number): number {
    const row = this.#database.write<{ version: number }>(
      `INSERT INTO tombstones (collection, key, version) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET version = version + 1 RETURNING version`,
      this.#collection,
      key,
      expected + 1,
    );
    return row!.version;
  }

  #insertMaps(key: string, entries: IndexEntries): void {
    this.#maps.forEach((table, index) => {
      for (const [name, value] of entries.maps[index]!) this.#putEntry(table, key, name, value);
    });
  }

  #putEntry(table: string, key: string, name: string, value: IndexedValue): void {
    this.#database.run(
      `INSERT OR REPLACE INTO ${table} (key, name, value) VALUES (?, ?, ?)`,
      key,
      name,
      value,
    );
  }

  /** Touches only what changed: a map of a hundred metrics mostly gets one new value at a time. */
  #updateMap(table: string, key: string, entries: ReadonlyMap<string, IndexedValue>): void {
    const known = new Map(
      this.#database
        .all<{ name: string; value: IndexedValue }>(`SELECT name, value FROM ${table} WHERE key = ?`, key)
        .map(({ name, value }) => [name, value]),
    );
    for (const name of known.keys()) {
      if (!entries.has(name)) {
        this.#database.run(`DELETE FROM ${table} WHERE key = ? AND name = ?`, key, name);
      }
    }
    for (const [name, value] of entries) {
      if (known.get(name) !== value) this.#putEntry(table, key, name, value);
    }
  }
}
