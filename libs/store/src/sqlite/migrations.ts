import { FailedPrecondition, Invalid } from '@millrace/errors';
import type { DocumentStore, Migration } from '../port.ts';
import type { Database } from './database.ts';
import type { GroupCommit } from './group-commit.ts';

interface Recorded {
  readonly number: number;
  readonly name: string;
}

const checkNumbers = (migrations: readonly Migration[]): void => {
  migrations.forEach(({ number, name }, index) => {
    if (number === index + 1) return;
    throw Invalid.field(
      `migrations[${index}].number`,
      `is ${number} ("${name}"), ${index + 1} must come here`,
    );
  });
};

const checkRecorded = (recorded: readonly Recorded[], migrations: readonly Migration[]): void => {
  for (const { number, name } of recorded) {
    const known = migrations[number - 1];
    if (known === undefined) {
      throw new FailedPrecondition(
        `store: migration ${number} "${name}" is unknown: it is newer than this code`,
        {
          hint: 'Run the version of the service that wrote it, or a newer one.',
        },
      );
    }
    if (known.name === name) continue;
    throw new FailedPrecondition(
      `store: migration ${number} was "${name}", this code calls it "${known.name}"`,
      {
        hint: 'A migration that has run must stay as it was: add a new one.',
      },
    );
  }
};

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
  checkNumbers(migrations);
  const recorded = database.all<Recorded & Record<string, unknown>>(
    'SELECT number, name FROM migrations ORDER BY number',
  );
  checkRecorded(recorded, migrations);
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
