import { dirname, join } from 'node:path';
import {
  type Comparison,
  compareRelations,
  type FirstRows,
  firstRows,
  openDuckDb,
  readableRelation,
} from '@millrace/tabular';

const previewRows = 10;
/** One-hot encoding makes thousands of columns; a card shows the first ones. */
const profiledColumns = 100;

/** What a card shows of a table on disk. */
export interface DescribedTable {
  readonly rowCount: number;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** A quick profile: a comparison of one table; absent when it was not asked for. */
  readonly profile?: Comparison;
  readonly preview: FirstRows;
}

/** Looks at a Parquet file as a card shows it. DuckDB spills beside the file and does not block the event loop. */
export const describeParquet = async (
  path: string,
  { profile, signal }: { readonly profile: boolean; readonly signal?: AbortSignal },
): Promise<DescribedTable> => {
  const directory = dirname(path);
  await using duck = await openDuckDb({
    tempDir: join(directory, 'duckdb'),
    allowedDirectories: [directory],
    ...(signal === undefined ? {} : { signal }),
  });
  const { source, columns, rowCount, unreadable } = await readableRelation(duck, path, 'described');
  return {
    rowCount,
    columns: [...columns.map(({ name, type }) => ({ name, type })), ...unreadable],
    preview: await firstRows(duck, { source, columns }, previewRows),
    ...(profile
      ? {
          profile: await compareRelations(
            duck,
            [{ name: 'training', source }],
            columns.slice(0, profiledColumns),
          ),
        }
      : {}),
  };
};
