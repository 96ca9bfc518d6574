import { type TestBroker, testBroker } from '@millrace/broker';
import { createClient } from '@millrace/client';
import { ErrorCode } from '@millrace/errors';
import { createRandom } from '@millrace/random';
import { serviceNames } from '@millrace/service-kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/wait.ts';
import { expectEachEffectOnce } from './effects.ts';
import { durationsOf, momentOf, submitQuickRun } from './quick-run.ts';
import { SkewedClocks } from './support/clocks.ts';
import { NatsProxy } from './support/nats-proxy.ts';
import { Trial, testSeed } from './support/trial.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Of the schedule. */
const project = 'scheduled';

let broker: TestBroker;
let proxy: NatsProxy;
let trial: Trial;
let usual: ReadonlyMap<string, number>;
const clocks = new SkewedClocks();

beforeAll(async () => {
  broker = await testBroker();
  proxy = await NatsProxy.start(broker.url);
  trial = await Trial.start({
    fault: 'F12',
    title: 'clocks that go wrong',
    seed: testSeed,
    natsUrl: proxy.url,
    env: { ...clocks.env, MILLRACE_RECONCILE_MS: '1000' },
  });
  usual = durationsOf(await trial.run());
});

afterAll(async () => {
  await trial?.stop();
  for (const name of [...Object.keys(clocks.env), 'MILLRACE_RECONCILE_MS']) delete process.env[name];
  clocks.remove();
  proxy?.close();
  await broker?.stop();
});

/** An hour before or after, by service. */
const differing = () => {
  const random = createRandom(testSeed).derive('clocks');
  return Object.fromEntries(
    serviceNames.map((name) => [name, { offsetMs: random.uniform() < 0.5 ? -hourMs : hourMs }]),
  );
};

const healed = async (): Promise<void> => {
  await clocks.set({});
  trial.heal('the right time everywhere');
  await trial.recover();
};

test('with clocks that differ by hours a run ends as ever, and its events are in order', async () => {
  trial.inject('each service an hour before or after');
  await clocks.set(differing());
  await expectEachEffectOnce(trial.millrace, await trial.during(() => trial.run()));
});

test('an event that is lost meanwhile is fetched, although its owner’s time is hours before', async () => {
  trial.inject('the pipeline an hour on, the registry an hour back; the pipeline never hears of an approval');
  await clocks.set({ pipeline: { offsetMs: hourMs }, registry: { offsetMs: -hourMs } });
  const lost: string[] = [];
  proxy.tamper(({ subject, consumer }) => {
    // The last event of its entity: no later one shows that it is missing.
    if (lost.length > 0 || !consumer.startsWith('pipeline') || !subject.includes('.approved.')) {
      return { kind: 'pass' };
    }
    lost.push(consumer);
    return { kind: 'lose' };
  });
  const run = await trial.during(() => trial.run());
  proxy.tamper(undefined);
  expect(lost).toHaveLength(1);
  expect(run.state).toBe('RUN_STATE_SUCCEEDED');
  await healed();
});

test('a clock that jumps back in mid-run, and one that stands still, lose no lease and no step', async () => {
  const run = await trial.during(() =>
    trial.run(async (id) => {
      await momentOf(trial.millrace, { step: 'train', at: 0.2 }, id, usual);
      trial.inject('an hour back in mid-run; training stands still');
      await clocks.set({ '*': { offsetMs: -hourMs }, training: { frozenAt: Date.now() } });
    }),
  );
  await expectEachEffectOnce(trial.millrace, run);
  await healed();
});

const cron = (expression: string) => ({ $case: 'cron' as const, value: { expression } });

test('a schedule fires once per time that comes, however often the clock comes by it', async () => {
  const { client } = trial.millrace;
  await submitQuickRun(trial.millrace, project, testSeed);
  const trigger = async () =>
    (await client.pipeline.listTriggers({})).triggers.find(({ name }) => name === 'hourly');
  // The clock of schedules looks again when triggers change; by itself it does once a minute.
  let nudges = 0;
  const look = async () => {
    nudges += 1;
    await client.pipeline.createTrigger({
      trigger: { name: `nudge-${nudges}`, project, enabled: true, condition: cron('0 0 1 1 *') },
    });
  };
  const expression = `${(new Date().getUTCMinutes() + 30) % 60} * * * *`;
  await client.pipeline.createTrigger({
    trigger: { name: 'hourly', project, enabled: true, condition: cron(expression) },
  });
  const due = Date.parse((await trigger())?.nextFireAt ?? '');
  trial.inject('an hour on, back, and on again');
  await clocks.set({ pipeline: { offsetMs: due - Date.now() + 1_000 } });
  await look();
  await eventually('the first time', async () => expect((await trigger())?.fired).toBe(1));
  for (const offsetMs of [0, due - Date.now() + 2_000, -hourMs, due - Date.now() + 3_000]) {
    await clocks.set({ pipeline: { offsetMs } });
    await look();
    expect((await trigger())?.fired).toBe(1);
  }
  // Two hours at once: what was missed is not made up for one by one, and the next time is not skipped.
  await clocks.set({ pipeline: { offsetMs: due - Date.now() + 2 * hourMs + 1_000 } });
  await look();
  await eventually('the next time', async () => expect((await trigger())?.fired).toBe(2));
  expect(Date.parse((await trigger())?.nextFireAt ?? '')).toBe(due + 3 * hourMs);
  await client.pipeline.deleteTrigger({ name: 'hourly' });
  for (let nudge = 1; nudge <= nudges; nudge += 1) {
    await client.pipeline.deleteTrigger({ name: `nudge-${nudge}` });
  }
  await healed();
});

test('a token ends to the second by the gateway’s own clock, whatever the others think', async () => {
  const { client, url } = trial.millrace;
  const { secret = '', token } = await client.gateway.createToken({
    owner: 'ada',
    role: 'ROLE_VIEWER',
    days: 1,
  });
  const ada = createClient({ url, token: secret });
  const ends = Date.parse(token?.expiresAt ?? '');
  const askAt = async (time: number): Promise<string> => {
    await clocks.set({ '*': { offsetMs: -hourMs }, gateway: { offsetMs: time - Date.now() } });
    return ada.registry.listModels({}).then(
      () => 'let in',
      (thrown: { code?: string }) => String(thrown.code),
    );
  };
  trial.inject('the gateway a day on');
  expect(await askAt(ends - dayMs / 2)).toBe('let in');
  // No leeway: 10 s are what a busy machine may need to ask.
  expect(await askAt(ends - 10_000)).toBe('let in');
  expect(await askAt(ends + 1_000)).toBe(ErrorCode.unauthenticated);
  // A revoked token is refused although the clock is before the time at which it was looked up.
  await clocks.set({});
  expect(await ada.registry.listModels({}).then(() => 'let in')).toBe('let in');
  await client.gateway.revokeToken({ id: token?.id });
  expect(await askAt(Date.now() - hourMs)).toBe(ErrorCode.unauthenticated);
  await ada.close();
  await healed();
});

test('order, leases, schedules and projections are as with right clocks', async () => {
  await trial.finishRuns();
  const { client } = trial.millrace;
  for (const run of (await client.pipeline.listRuns({ page: { limit: 100 } })).runs) {
    if (run.project?.project !== project) continue;
    await client.pipeline.cancelRun({ id: run.id, actor: { reason: 'not needed' } }).catch(() => {});
  }
  await trial.check();
});
