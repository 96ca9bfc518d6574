import { supportedColumnType } from './column-types.ts';
import type { DuckDb } from './duckdb.ts';
import { quoteIdentifier } from './sql.ts';
import type { ColumnSchema, ColumnType } from './table.ts';

/** A table or view of a session, its columns in storage types. */
export interface Relation {
  /** Ready for a `FROM` clause: a quoted name or a table function. */
  readonly source: string;
  readonly columns: readonly ColumnSchema[];
  readonly rowCount: number;
}

export interface DescribedColumn {
  readonly name: string;
  readonly duckType: string;
}

/** Names and DuckDB types of what `SELECT * FROM source` yields. */
export const describeSource = async (duck: DuckDb, source: string): Promise<DescribedColumn[]> => {
  const rows = await duck.rows(`DESCRIBE SELECT * FROM ${source}`);
  return rows.map((row) => ({ name: String(row.column_name), duckType: String(row.column_type) }));
};

/** Column types of a source, and which columns hold missing values; one pass over the data. */
export const describeRelation = async (duck: DuckDb, source: string): Promise<Relation> => {
  const described = await describeSource(duck, source);
  const typed = described.map(({ name, duckType }) => ({
    name,
    type: supportedColumnType(duckType, name, source),
  }));
  return relationOf(duck, source, typed);
};

/** As `describeRelation` for columns whose types are known. */
export const relationOf = async (
  duck: DuckDb,
  source: string,
  columns: readonly { readonly name: string; readonly type: ColumnType }[],
): Promise<Relation> => {
  const counts = columns.map(({ name }, index) => `count(${quoteIdentifier(name)}) AS c${index}`);
  const row = await duck.row(
    `SELECT count(*) AS rows${counts.map((sql) => `, ${sql}`).join('')} FROM ${source}`,
  );
  const rowCount = Number(row.rows);
  return {
    source,
    rowCount,
    columns: columns.map(({ name, type }, index) => ({
      name,
      type,
      nullable: Number(row[`c${index}`]) < rowCount,
    })),
  };
};
