export { convertedSql } from './conversion.ts';
export { type DuckDb, type DuckDbOptions, openDuckDb, type SqlRow, type SqlValue } from './duckdb.ts';
export {
  type CompiledExpression,
  compileCondition,
  compileExpression,
  rowsWhere,
} from './expression/compile.ts';
export { type Expression, parseExpression } from './expression/syntax.ts';
export type { Value, ValueType } from './expression/term.ts';
export { parseTimestamp } from './expression/timestamp.ts';
export { type FirstRows, firstRows } from './first-rows.ts';
export { viewPandasParquet } from './foreign.ts';
export { parquetSource, writeCsv, writeParquet } from './parquet.ts';
export { type ComparedTable, compareRelations } from './profile/compare-relations.ts';
export { equalWidthEdges } from './profile/histogram.ts';
export { profileRelation } from './profile/profile-relation.ts';
export type {
  CategoricalProfile,
  ColumnComparison,
  ColumnFigures,
  ColumnProfile,
  Comparison,
  DatasetProfile,
  Histogram,
  LengthProfile,
  NumericProfile,
  ValueCount,
} from './profile-types.ts';
export { CsvEncoding, type CsvOptions, defaultMissingValues } from './read/csv.ts';
export { FileFormat, type LoadFilesOptions, loadFiles } from './read/load-files.ts';
export type { SourceFile } from './read/source-file.ts';
export { type ReadableRelation, readableRelation } from './readable-relation.ts';
export { describeRelation, type Relation, relationOf } from './relation.ts';
export { quoteIdentifier, quoteNumber, quoteText } from './sql.ts';
export { type Column, type ColumnSchema, ColumnType, type Table } from './table.ts';
export { type ReadTableOptions, readTable, type WriteTableOptions, writeTable } from './table-parquet.ts';
