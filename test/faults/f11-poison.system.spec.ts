import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ShownDeadLetter } from '@millrace/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { publishForeign, untilHandled } from '../support/stream.ts';
import { eventually, until } from '../support/wait.ts';
import { Trial, testSeed } from './support/trial.ts';

/** Read by deployment, which rolls out what an alias points to, and by registry, for its audit log. */
const type = 'millrace.registry.alias.moved.v1';
const entityOf = (name: string) => `registry.alias/${name}@production`;

/** Payloads, and what the reason says of them. */
const poisons = {
  'not JSON': ['{"not json', 'not JSON'],
  'no object': ['"a text"', 'not a JSON object'],
  empty: ['', 'not JSON'],
  'of a wrong type in a field': ['{"move":{"toVersion":"three"}}', 'move.toVersion: must be a whole number'],
  'out of range in a field': ['{"move":{"toVersion":4294967296}}', 'move.toVersion: must be from'],
  'nested wrongly': ['{"move":["production"]}', 'move: must be an object'],
} as const;

/** Deaths that one event causes; more, and it would be given up on: see `libs/bus/test/crashes.int.spec.ts`. */
const deaths = 2;

const folder = mkdtempSync(join(tmpdir(), 'millrace-poison-'));
const crashAt = join(folder, 'crash-at');
let trial: Trial;

beforeAll(async () => {
  trial = await Trial.start({
    fault: 'F11',
    title: 'poison',
    seed: testSeed,
    env: { MILLRACE_TEST_FAULTS: '1', MILLRACE_CRASH_AT: `file:${crashAt}` },
  });
});

afterAll(async () => {
  await trial?.stop();
  delete process.env.MILLRACE_CRASH_AT;
  rmSync(folder, { recursive: true, force: true });
});

const lettersOf = async (name: string): Promise<readonly ShownDeadLetter[]> =>
  (await trial.millrace.client.deadLetters(1_000)).filter(
    ({ headers }) => headers['ce-millraceentity'] === entityOf(name),
  );

test.each(Object.entries(poisons))(
  'an event that is %s is set aside with its reason, and others go on',
  async (what, [payload, said]) => {
    const name = what.replaceAll(' ', '-').toLowerCase();
    trial.inject(`an event that is ${what}`);
    await trial.during(async () => {
      await publishForeign(trial.millrace.log.bus, { type, entity: entityOf(name), sequence: 1, payload });
      const letters = await eventually('the dead letters', async () => {
        const found = await lettersOf(name);
        expect(found.map(({ consumer }) => consumer)).toEqual(
          expect.arrayContaining(['deployment-reactions']),
        );
        return found;
      });
      for (const { reason } of letters) expect(reason).toContain(said);
    });
  },
);

test('ten megabytes are refused before they are anything', async () => {
  trial.inject('an event of 10 MB, and a request of 20 MB');
  const payload = JSON.stringify({ text: 'x'.repeat(10_000_000) });
  const { bus } = trial.millrace.log;
  await expect(
    publishForeign(bus, { type, entity: entityOf('large'), sequence: 1, payload }),
  ).rejects.toThrow();
  await expect(
    trial.millrace.client.invoke('trial-1', { dataframe_records: [{ text: 'x'.repeat(20_000_000) }] }),
  ).rejects.toThrow();
  expect(await trial.predict()).toMatchObject({ revision: 1 });
});

test('an event at which its service dies more than once is handled in the end, and others meanwhile', async () => {
  const { millrace } = trial;
  trial.inject(`an event at which deployment dies ${deaths} times`);
  await trial.during(async () => {
    writeFileSync(crashAt, 'deployment:before-ack');
    const payload = JSON.stringify({ model: 'deadly', alias: 'production', version: 1 });
    // Of a type that leaves no trace in any projection.
    const unknown = 'millrace.registry.alias.repainted.v2';
    await publishForeign(millrace.log.bus, {
      type: unknown,
      entity: entityOf('deadly'),
      sequence: 1,
      payload,
    });
    for (let death = 1; death <= deaths; death += 1) {
      await until('a death', () => (existsSync(crashAt) ? undefined : true));
      if (death < deaths) writeFileSync(crashAt, 'deployment:before-ack');
    }
    await millrace.pids();
  });
  trial.heal('it dies no more');
  await trial.recover();
  await untilHandled(millrace.log.bus);
  expect(await lettersOf('deadly')).toEqual([]);
  await eventually('a prediction', async () => expect(await trial.predict()).toMatchObject({ revision: 1 }));
});

test('real work goes on, and nothing of it is lost', async () => {
  expect((await trial.run()).state).toBe('RUN_STATE_SUCCEEDED');
  await untilHandled(trial.millrace.log.bus);
  // What no service said is no part of what their projections are compared with.
  const { events } = trial.millrace.log;
  const real = events.filter(({ id }) => !id.startsWith('foreign-'));
  events.splice(0, events.length, ...real);
  await trial.check({ deadLetters: true });
});
