import { createRandom } from '@millrace/random';
import { apiPrefix } from '@millrace/rest';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { republishManyTimes, untilHandled } from '../support/stream.ts';
import { pause } from '../support/wait.ts';
import { getOnce } from './support/raw-client.ts';
import { Trial, testSeed } from './support/trial.ts';

const clients = 1_000;
/** Of so many clients one follows events, the others ask. */
const streamEvery = 5;
/** Fewer than come at once. */
const limits = { streams: 50, requests: 200 };
const backlog = 10_000;
/** Seconds until it must be as before; reported, and generous because test machines are slow. */
const mostSeconds = 120;

let trial: Trial;
const herd = { tried: 0, turnedAway: 0, cut: 0 };

beforeAll(async () => {
  trial = await Trial.start({
    fault: 'F18',
    title: `${clients} clients come back`,
    seed: testSeed,
    env: {
      MILLRACE_MAX_STREAMS: String(limits.streams),
      MILLRACE_MAX_REQUESTS: String(limits.requests),
    },
  });
});

afterAll(async () => {
  await trial?.stop();
  delete process.env.MILLRACE_MAX_STREAMS;
  delete process.env.MILLRACE_MAX_REQUESTS;
});

const ofEvents = {
  path: `${apiPrefix}/events?since=all&follow=false&filter=millrace.evt.pipeline.run.succeeded.v1`,
  last: 'event: end',
};
const ofModels = { path: `${apiPrefix}/models`, last: '"models"' };

/** Reads the runs' ends, or the models, and leaves; turned away it comes back when it is told to, cut off after a growing, spread time. */
const visit = async (client: number, random: { uniform(): number }): Promise<void> => {
  const { path, last } = client % streamEvery === 0 ? ofEvents : ofModels;
  for (let failures = 0; ; failures += 1) {
    herd.tried += 1;
    const { status, retryAfter, text } = await getOnce(trial, path);
    if (status === 200 && text.includes(last)) return;
    if (status === 503) herd.turnedAway += 1;
    else herd.cut += 1;
    const seconds = retryAfter > 0 ? retryAfter : Math.min(8, 2 ** failures / 2);
    await pause(1_000 * seconds * (0.5 + random.uniform()));
  }
};

/** Milliseconds of the slowest of some requests. */
const slowest = async (requests: number): Promise<number> => {
  let most = 0;
  for (let request = 0; request < requests; request += 1) {
    const begun = performance.now();
    await trial.millrace.client.registry.listModels({}).catch(() => {});
    most = Math.max(most, performance.now() - begun);
  }
  return most;
};

/** Seconds until requests are about as quick as they were. */
const untilAsBefore = async (beforeMs: number): Promise<number> => {
  const begun = performance.now();
  while ((await slowest(20)) > Math.max(500, 3 * beforeMs)) {
    expect((performance.now() - begun) / 1_000).toBeLessThan(mostSeconds);
  }
  return (performance.now() - begun) / 1_000;
};

test('a herd that lost its gateway is let in little by little, and everybody is served', async () => {
  const random = createRandom(testSeed).derive('herd');
  const before = await slowest(20);
  const visits = Array.from({ length: clients }, (_, client) => visit(client, random));
  trial.inject(`${clients} clients at once, then kill -9 gateway`);
  await trial.during(async () => {
    await pause(1_000);
    await trial.kill('gateway');
    await Promise.all(visits);
  });
  trial.heal('everybody was served');
  const seconds = await untilAsBefore(before);
  await trial.recover();
  console.log(
    `F18: ${clients} clients served in ${herd.tried} tries, ${herd.turnedAway} turned away, ${herd.cut} cut off; as quick as before after ${seconds.toFixed(1)} s`,
  );
  expect(herd.turnedAway).toBeGreaterThan(0);
});

test('a backlog of deliveries is worked off while requests are served', async () => {
  const before = await slowest(20);
  trial.inject(`${backlog} deliveries at once`);
  await trial.during(() => republishManyTimes(trial.millrace.log.bus, backlog));
  trial.heal('all delivered');
  const begun = performance.now();
  await untilHandled(trial.millrace.log.bus);
  const handled = (performance.now() - begun) / 1_000;
  const seconds = await untilAsBefore(before);
  await trial.recover();
  console.log(
    `F18: ${backlog} deliveries handled ${handled.toFixed(1)} s after the last; as quick as before ${seconds.toFixed(1)} s later`,
  );
});

test('nothing is lost, and memory is bounded', async () => {
  await trial.check({ repeatedEvents: true, reorderedEvents: true });
});
