import { Internal } from '@millrace/errors';
import { type Indexes, indexEntries } from '../indexes.ts';
import type { Database } from './database.ts';
import { DocumentTable } from './document-table.ts';
import { documentTable, fieldColumn, mapTable } from './names.ts';
import { readMeta, writeMeta } from './schema.ts';

const sqlType = { text: 'TEXT', number: 'REAL' } as const;

const createTables = (database: Database, collection: string, { fields, maps }: Indexes): void => {
  const columns = fields.map(({ path, type }) => `, ${fieldColumn(path)} ${sqlType[type]}`);
  database.exec(`CREATE TABLE ${documentTable(collection)} (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, document TEXT NOT NULL
    ${columns.join('')})`);
  for (const { map, type } of maps) {
    database.exec(`CREATE TABLE ${mapTable(collection, map)} (
      key TEXT NOT NULL, name TEXT NOT NULL, value ${sqlType[type]} NOT NULL, PRIMARY KEY (key, name)
    ) WITHOUT ROWID`);
    database.exec(
      `CREATE INDEX "index:${collection}:${map}" ON ${mapTable(collection, map)} (name, value, key)`,
    );
  }
};

const createIndexes = (database: Database, collection: string, { fields }: Indexes): void => {
  for (const { path, unique } of fields) {
    const index = `"index:${collection}:${path}"`;
    const table = documentTable(collection);
    // The key in the index lets it deliver a page in the order of the cursor.
    database.exec(`CREATE INDEX ${index} ON ${table} (${fieldColumn(path)}, key)`);
    if (!unique) continue;
    database.exec(`CREATE UNIQUE INDEX "unique:${collection}:${path}" ON ${table} (${fieldColumn(path)})`);
  }
};

const copyDocuments = (database: Database, from: string, to: DocumentTable, indexes: Indexes): void => {
  let after = '';
  for (;;) {
    const row = database.get<{ key: string; version: number; document: string }>(
      `SELECT key, version, document FROM ${from} WHERE key > ? ORDER BY key LIMIT 1`,
      after,
    );
    if (row === undefined) return;
    to.restore(row.key, row.version, row.document, indexEntries(indexes, JSON.parse(row.document)));
    after = row.key;
  }
};

/** Indexes changed with the code: the tables are made anew and filled from the documents. */
const rebuild = (database: Database, collection: string, old: Indexes, indexes: Indexes): void => {
  const former = `"former:${collection}"`;
  database.exec(`ALTER TABLE ${documentTable(collection)} RENAME TO ${former}`);
  for (const { map } of old.maps) database.exec(`DROP TABLE ${mapTable(collection, map)}`);
  createTables(database, collection, indexes);
  copyDocuments(database, former, new DocumentTable(database, collection, indexes), indexes);
  database.exec(`DROP TABLE ${former}`);
  createIndexes(database, collection, indexes);
};

const parseIndexes = (collection: string, text: string): Indexes => {
  try {
    return JSON.parse(text) as Indexes;
  } catch (cause) {
    throw new Internal(`store: the definition of collection "${collection}" is damaged`, { cause });
  }
};

/** Makes the collection's tables, or brings them to the indexes that are declared now. */
export const prepareCollection = (database: Database, collection: string, indexes: Indexes): void => {
  const name = `collection:${collection}`;
  const wanted = JSON.stringify(indexes);
  if (readMeta(database, name) === wanted) return;
  database.setUp(() => {
    const found = readMeta(database, name);
    if (found === wanted) return;
    if (found === undefined) {
      createTables(database, collection, indexes);
      createIndexes(database, collection, indexes);
    } else {
      rebuild(database, collection, parseIndexes(collection, found), indexes);
    }
    writeMeta(database, name, wanted);
  });
};
