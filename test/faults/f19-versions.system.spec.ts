import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '@millrace/store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditRecords } from '../support/audit.ts';
import { publishForeign, untilHandled } from '../support/stream.ts';
import { eventually } from '../support/wait.ts';
import { migrations } from './support/long-migration.ts';
import { Trial, testSeed } from './support/trial.ts';

const documents = 2_000;
const kills = 3;

let trial: Trial;

beforeAll(async () => {
  trial = await Trial.start({
    fault: 'F19',
    title: 'versions side by side',
    seed: testSeed,
    separate: false,
  });
});

afterAll(() => trial?.stop());

test('events of a newer release pass: types that nobody knows, and fields that nobody knows', async () => {
  const { log, client } = trial.millrace;
  trial.inject('events of a newer release');
  const entity = 'registry.policy/newer';
  const newer = [
    { type: 'millrace.registry.policy.repainted.v2', data: { colour: 'blue', nested: { deep: [1, 2] } } },
    { type: 'millrace.registry.policy.changed.v2', data: { everything: 'is new' } },
    // A known type with fields of tomorrow, and without those that are optional.
    {
      type: 'millrace.registry.policy.changed.v1',
      data: { model: 'newer', policy: { requiredApprovals: 2, mood: 'good' }, since: 'tomorrow' },
    },
  ];
  await trial.during(async () => {
    for (const [index, { type, data }] of newer.entries()) {
      const payload = JSON.stringify(data);
      await publishForeign(log.bus, { type, entity, sequence: index + 1, payload });
    }
    await publishForeign(log.bus, {
      type: 'millrace.tomorrow.thing.happened.v1',
      entity: 'tomorrow.thing/one',
      sequence: 1,
      payload: JSON.stringify({ of: 'a service that nobody knows' }),
    });
    await untilHandled(log.bus);
  });
  await eventually('the audit record of what is known of it', async () => {
    const records = (await auditRecords(client)).filter(({ entity: of }) => of.includes('newer'));
    expect(records.map(({ action }) => action)).toEqual(['policy.changed']);
  });
  // Handled, not set aside: who does not know a type goes on after it.
  const letters = await client.deadLetters(100);
  expect(letters.map(({ subject, consumer, reason }) => ({ subject, consumer, reason }))).toEqual([]);
  expect((await trial.run()).state).toBe('RUN_STATE_SUCCEEDED');
  trial.heal('handled');
  await trial.recover();
});

test('a request of a newer client says which field is not known, and changes nothing', async () => {
  const { url } = trial.millrace;
  const answer = await fetch(`${url}/api/v1/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${trial.secret}` },
    body: JSON.stringify({ profile: '', fieldOfTomorrow: 1 }),
  });
  expect(answer.status).toBe(400);
  expect(await answer.text()).toContain('fieldOfTomorrow');
});

const migrate = (url: string): ChildProcess =>
  spawn(process.execPath, [join(import.meta.dirname, 'support', 'long-migration.ts'), url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });

test('a migration that is killed in the middle is finished by the next start, and none runs twice', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-migration-'));
  const url = `sqlite:${join(directory, 'store.sqlite')}`;
  const open = () => openStore({ url, service: 'registry' });
  const before = await open();
  const old = before.collection<{ state: string }>({ name: 'runs' });
  await Promise.all(
    Array.from({ length: documents }, (_, number) => old.insert(`run-${number}`, { state: 'OLD' })),
  );
  await before.close();
  for (let kill = 0; kill < kills; kill += 1) {
    const child = migrate(url);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    // It tells of each hundred: the first of this start has something done and something left.
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    trial.inject('kill -9 in the middle of a migration');
    child.kill('SIGKILL');
    await ended;
  }
  const store = await open();
  await store.migrate(migrations(() => {}));
  const runs = store.collection<{ state: string; times: number }>({ name: 'runs' });
  const states = new Map<string, number>();
  for await (const { document } of runs.scan()) {
    const state = `${document.state} ${document.times}`;
    states.set(state, (states.get(state) ?? 0) + 1);
  }
  console.log(
    `F19: ${kills} kills in a migration of ${documents} documents, found ${[...states].map(([state, count]) => `${count} "${state}"`)}`,
  );
  expect([...states]).toEqual([['new 1', documents]]);
  // There is no way back: an older release refuses the store instead of misreading it.
  await expect(store.migrate([])).rejects.toMatchObject({ code: 'failed_precondition' });
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

test('nothing is lost between the versions', async () => {
  await eventually('all to be handled', () => untilHandled(trial.millrace.log.bus));
  await trial.check();
});
