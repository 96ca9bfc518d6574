import { checkMigrations, type RecordedMigration } from '../migration-checks.ts';
import type { DocumentStore, Migration } from '../port.ts';
import type { Database } from './database.ts';
import type { GroupCommit } from './group-commit.ts';

export interface MigrationOptions {
  readonly database: Database;
  readonly writer: GroupCommit;
  readonly now: () => Date;
}

/** See `DocumentStore.migrate`. */
export const runMigrations = async (
  store: DocumentStore,
  migrations: readonly Migration[],
  { database, writer, now }: MigrationOptions,
): Promise<void> => {
  const recorded = database.all<RecordedMigration & Record<string, unknown>>(
    'SELECT number, name FROM migrations ORDER BY number',
  );
  checkMigrations(recorded, migrations);
  for (const migration of migrations.slice(recorded.length)) {
    await migration.up(store);
    await writer.run(() =>
      database.run(
        'INSERT OR IGNORE INTO migrations (number, name, time) VALUES (?, ?, ?)',
        migration.number,
        migration.name,
        now().toISOString(),
      ),
    );
  }
};
