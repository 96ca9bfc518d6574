import { FailedPrecondition, Invalid } from '@millrace/errors';
import type { Migration } from './port.ts';

/** A migration that has run. */
export interface RecordedMigration {
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

const checkRecorded = (recorded: readonly RecordedMigration[], migrations: readonly Migration[]): void => {
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

/** Throws as `DocumentStore.migrate` says, unless `migrations` goes on from what has run, in order of numbers. */
export const checkMigrations = (
  recorded: readonly RecordedMigration[],
  migrations: readonly Migration[],
): void => {
  checkNumbers(migrations);
  checkRecorded(recorded, migrations);
};
