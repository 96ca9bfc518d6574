import { type TestBroker, testBroker } from '@millrace/broker';
import { createRandom } from '@millrace/random';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pause } from '../support/wait.ts';
import { expectEachEffectOnce } from './effects.ts';
import { durationsOf, momentOf } from './quick-run.ts';
import { Partitions } from './support/partitions.ts';
import { isThorough, stepLeaseMs, Trial, testSeed } from './support/trial.ts';

/** Longer than leases and the broker's patience. */
const partitionMs = 3 * stepLeaseMs;
/** Deadline of a call between services, and what the client waits at most. */
const mostCallMs = 15_000;
const flaps = 6;
/** A busy machine's. */
const slackMs = 10_000;

let broker: TestBroker;
let partitions: Partitions;
let trial: Trial;
let usual: ReadonlyMap<string, number>;

beforeAll(async () => {
  broker = await testBroker();
  partitions = await Partitions.open(broker.url);
  trial = await Trial.start({
    fault: 'F13',
    title: 'partitions',
    seed: testSeed,
    natsUrl: broker.url,
    env: partitions.env,
  });
  usual = durationsOf(await trial.run());
});

afterAll(async () => {
  await trial?.stop();
  for (const name of Object.keys(partitions?.env ?? {})) delete process.env[name];
  await partitions?.close();
  await broker?.stop();
});

const cuts = [
  { service: 'pipeline', step: 'train', cut: { there: true, back: true }, how: 'the broker' },
  { service: 'registry', step: 'register', cut: { there: true, back: false }, how: 'whom it tells' },
  { service: 'evaluation', step: 'evaluate', cut: { there: false, back: true }, how: 'who tells it' },
  { service: 'training', step: 'train', cut: { there: true, back: true }, how: 'the broker' },
] as const;

test.each(isThorough ? cuts : cuts.slice(0, 2))(
  '$service cut off from $how during $step, for longer than its lease',
  async (kind) => {
    const { service, step, cut } = kind;
    const run = await trial.during(() =>
      trial.run(async (id) => {
        await momentOf(trial.millrace, { step, at: 0.2 }, id, usual);
        trial.inject(`${service} cut off from the broker, ${JSON.stringify(cut)}`);
        partitions.cut(service, 'broker', cut);
        await pause(partitionMs);
        partitions.heal(service, 'broker');
        trial.heal('healed');
        await trial.recover();
      }),
    );
    await expectEachEffectOnce(trial.millrace, run);
  },
);

test('a peer that no longer answers is given up in time, and nobody else waits for it', async () => {
  trial.inject('the gateway cut off from the registry');
  partitions.cut('gateway', 'registry');
  await trial.during(async () => {
    expect(await trial.millrace.client.pipeline.listRuns({})).toBeDefined();
    await pause(partitionMs);
  });
  partitions.heal('gateway', 'registry');
  trial.heal('healed');
  await trial.recover();
  const slow = trial.history.operations.filter(({ tookMs }) => tookMs > mostCallMs + slackMs);
  expect(slow).toEqual([]);
});

test('a connection that comes and goes while a model is trained', async () => {
  const random = createRandom(testSeed).derive('flaps');
  const run = await trial.during(() =>
    trial.run(async (id) => {
      await momentOf(trial.millrace, { step: 'train', at: 0 }, id, usual);
      trial.inject(`${flaps} times away from the broker and back`);
      for (let flap = 0; flap < flaps; flap += 1) {
        partitions.cut('training', 'broker');
        await pause(200 + 800 * random.uniform());
        partitions.heal('training', 'broker');
        await pause(200 + 400 * random.uniform());
      }
      trial.heal('steady again');
      await trial.recover();
    }),
  );
  await expectEachEffectOnce(trial.millrace, run);
});

test('both sides agree again: nothing owned twice, lost or doubled', async () => {
  await trial.check();
});
