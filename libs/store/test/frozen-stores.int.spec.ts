import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freezeSqliteStores, openSqliteStore, textsOfSqliteStore } from '../src/index.ts';

/** A cause in one store, then its effect in the other, as services do it, for ever. */
const writer = `
import { openSqliteStore } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)};
const [owner, consumer] = await Promise.all(process.argv.slice(2).map((path, i) =>
  openSqliteStore({ path, service: ['owner', 'consumer'][i] })));
const causes = owner.collection({ name: 'causes' });
const effects = consumer.collection({ name: 'effects' });
for (let number = 1; ; number += 1) {
  await causes.insert(String(number), { number });
  await effects.insert(String(number), { number });
  if (number === 20) process.send('writing');
  await new Promise((resolve) => setImmediate(resolve));
}
`;

let folder: string;
let child: ChildProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-frozen-'));
});
afterEach(async () => {
  child?.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

const countOf = async (path: string, service: string, name: string): Promise<number> => {
  const store = await openSqliteStore({ path, service });
  try {
    return await store.collection({ name }).count();
  } finally {
    await store.close();
  }
};

test('copies of several stores are of one moment while another process writes to both', async () => {
  const paths = [join(folder, 'owner.sqlite'), join(folder, 'consumer.sqlite')] as const;
  const script = join(folder, 'writer.ts');
  await writeFile(script, writer);
  child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, ...paths], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await once(child, 'message');
  const found: string[] = [];
  for (let round = 1; round <= 5; round += 1) {
    // The effect's store is asked first: copies of two moments would have it behind, never ahead.
    const frozen = freezeSqliteStores([...paths].reverse());
    const copies = [join(folder, `consumer-${round}.sqlite`), join(folder, `owner-${round}.sqlite`)] as const;
    for (const [index, copy] of copies.entries()) {
      await new Promise((resolve) => setTimeout(resolve, 30));
      await frozen.stores[index]?.copyTo(copy);
    }
    frozen.close();
    const effects = await countOf(copies[0], 'consumer', 'effects');
    const causes = await countOf(copies[1], 'owner', 'causes');
    found.push(`${causes}/${effects}`);
    expect(causes - effects, found.join(', ')).toBeGreaterThanOrEqual(0);
    expect(causes - effects, found.join(', ')).toBeLessThanOrEqual(1);
    expect(Date.parse(frozen.cutAt)).not.toBeNaN();
  }
  expect(new Set(found).size).toBeGreaterThan(1);
  expect(child.exitCode).toBeNull();
});

test('a lock that is not given up lets everything go again, and says so', async () => {
  const paths = [join(folder, 'a.sqlite'), join(folder, 'b.sqlite')] as const;
  for (const path of paths) await (await openSqliteStore({ path, service: 'registry' })).close();
  const holder = new DatabaseSync(paths[1]);
  holder.exec('BEGIN IMMEDIATE');
  expect(() => freezeSqliteStores(paths)).toThrow(/locked/);
  const other = new DatabaseSync(paths[0]);
  other.exec('BEGIN IMMEDIATE; ROLLBACK');
  other.close();
  holder.exec('ROLLBACK');
  holder.close();
  freezeSqliteStores(paths).close();
});

test('digests are found in documents and messages of a copy', async () => {
  const path = join(folder, 'a.sqlite');
  const store = await openSqliteStore({ path, service: 'registry' });
  const inDocument = `sha256:${'a'.repeat(64)}`;
  const inMessage = `sha256:${'b'.repeat(64)}`;
  await store
    .collection<{ digest: string }>({ name: 'things' })
    .insert('one', { digest: inDocument }, [
      { subject: 's', type: 't', key: 'one', data: { digest: inMessage } },
    ]);
  await store.close();
  const text = [...textsOfSqliteStore(path)].join('\n');
  expect(text).toContain(inDocument);
  expect(text).toContain(inMessage);
});
