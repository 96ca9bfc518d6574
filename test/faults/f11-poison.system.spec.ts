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

/** Deaths of a service at one event that it survives. */
const deaths = 2;
/** After so many it is given up on: two before it is suspected, three of a suspect. */
const mostDeaths = 5;
/** A pipeline run that nobody knows: its end has training look for what it left behind, and find nothing. */
const deadly = { type: 'millrace.pipeline.run.cancelled.v1', entity: 'pipeline.run/deadly' } as const;
/** Until when it is buried: each death waits for the broker to deliver again, and for the service to come back. */
const burialMs = 150_000;

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

const lettersOf = async (entity: string): Promise<readonly ShownDeadLetter[]> =>
  (await trial.millrace.client.deadLetters(1_000)).filter(
    ({ headers }) => headers['ce-millraceentity'] === entity,
  );

test.each(Object.entries(poisons))(
  'an event that is %s is set aside with its reason, and others go on',
  async (what, [payload, said]) => {
    const name = what.replaceAll(' ', '-').toLowerCase();
    trial.inject(`an event that is ${what}`);
    await trial.during(async () => {
      await publishForeign(trial.millrace.log.bus, { type, entity: entityOf(name), sequence: 1, payload });
      const letters = await eventually('the dead letters', async () => {
        const found = await lettersOf(entityOf(name));
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
  expect(await lettersOf(entityOf('deadly'))).toEqual([]);
  await eventually('a prediction', async () => expect(await trial.predict()).toMatchObject({ revision: 1 }));
});

test('an event at which its service dies each time is set aside, and its entity goes on', async () => {
  const { millrace } = trial;
  trial.inject('an event at which training dies each time');
  let died = 0;
  const before = performance.now();
  await trial.during(async () => {
    const armed = `training:mid-handling@${deadly.entity}`;
    writeFileSync(crashAt, armed);
    await publishForeign(millrace.log.bus, { ...deadly, sequence: 1, payload: '{}' });
    const letters = await until(
      'the dead letter',
      async () => {
        if (!existsSync(crashAt)) {
          died += 1;
          writeFileSync(crashAt, armed);
        }
        const found = await lettersOf(deadly.entity);
        return found.length === 0 ? undefined : found;
      },
      burialMs,
    );
    expect(letters).toMatchObject([{ consumer: 'training-orphans' }]);
    expect(letters[0]?.reason).toContain('its handling ended the process 3 times');
    rmSync(crashAt, { force: true });
  });
  console.log(`F11: buried after ${died} deaths, ${((performance.now() - before) / 1_000).toFixed(0)} s`);
  expect(died).toBe(mostDeaths);
  trial.heal('nothing is deadly any more');
  await publishForeign(millrace.log.bus, { ...deadly, sequence: 2, payload: '{}' });
  await trial.recover();
  await untilHandled(millrace.log.bus);
  expect(await lettersOf(deadly.entity)).toHaveLength(1);
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
