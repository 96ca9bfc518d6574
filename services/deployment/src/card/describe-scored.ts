import { dirname, join } from 'node:path';
import {
  type DuckDb,
  firstRows,
  openDuckDb,
  profileRelation,
  type Relation,
  readableRelation,
  relationOf,
} from '@millrace/tabular';
import type { PredictFacts } from './predict-card.ts';

/** Rows that the profile is made of at most, as in MLflow. */
const profiledRows = 10_000;
const previewRows = 10;

/** Looks at scored rows as their card shows them. DuckDB spills beside the file and does not block the event loop. */
export const describeScored = async (
  parquet: string,
  { profile, signal }: { readonly profile: boolean; readonly signal: AbortSignal },
): Promise<Pick<PredictFacts, 'profile' | 'preview'>> => {
  const directory = dirname(parquet);
  await using duck = await openDuckDb({
    tempDir: join(directory, 'duckdb'),
    allowedDirectories: [directory],
    signal,
  });
  const scored = await readableRelation(duck, parquet, 'scored');
  const preview = await firstRows(duck, scored, previewRows);
  if (!profile) return { preview };
  return { preview, profile: await profileRelation(duck, await sampleOf(duck, scored)) };
};

/** Every so manieth row, so that the same rows give the same profile. */
const sampleOf = async (duck: DuckDb, scored: Relation): Promise<Relation> => {
  if (scored.rowCount <= profiledRows) return scored;
  const step = Math.ceil(scored.rowCount / profiledRows);
  await duck.run(
    `CREATE TEMP TABLE sample AS SELECT scored.* FROM ${scored.source} AS scored QUALIFY (row_number() OVER () - 1) % ${step} = 0`,
  );
  return relationOf(duck, 'sample', scored.columns);
};
