/** A migration of many documents, run as a process of its own that is to be killed: `node long-migration.ts <store>`. */
import { writeSync } from 'node:fs';
import { type Migration, openStore } from '@millrace/store';

interface Run {
  readonly state: string;
  /** How often it was migrated. */
  readonly times?: number;
}

/** Tells of each hundred documents. What is done is seen in the document: so it can be begun again. */
export const migrations = (tell: (done: number) => void): readonly Migration[] => [
  {
    number: 1,
    name: 'states in lower case',
    up: async (store) => {
      const runs = store.collection<Run>({ name: 'runs' });
      let done = 0;
      for await (const { key } of runs.scan()) {
        await runs.update(key, (current) =>
          current === undefined || current.document.state === 'new'
            ? undefined
            : { document: { state: 'new', times: (current.document.times ?? 0) + 1 } },
        );
        done += 1;
        if (done % 100 === 0) tell(done);
      }
    },
  },
];

if (import.meta.main) {
  const store = await openStore({ url: process.argv[2] ?? '', service: 'registry' });
  await store.migrate(migrations((done) => writeSync(1, `${done}\n`)));
  await store.close();
}
