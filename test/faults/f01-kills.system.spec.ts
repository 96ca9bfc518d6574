import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectEachEffectOnce } from './effects.ts';
import { describeMoment, planKills } from './kill-plan.ts';
import { durationsOf, momentOf } from './quick-run.ts';
import { isThorough, Trial, testSeed } from './support/trial.ts';

const plan = planKills(testSeed, isThorough);

let trial: Trial;
/** Milliseconds that each step took with nothing killed. */
let usual: ReadonlyMap<string, number>;
let completed = 0;

beforeAll(async () => {
  const title = `${plan.length} kills during runs`;
  trial = await Trial.start({ fault: 'F1', title, seed: testSeed });
  // Everything is loaded now: this one takes as long as those to come.
  const run = await trial.run();
  await expectEachEffectOnce(trial.millrace, run);
  usual = durationsOf(run);
});

afterAll(async () => {
  await trial?.stop();
});

test.each(plan.map((kill) => ({ ...kill, moment: describeMoment(kill.at) })))(
  'a run completes, with every effect once, when $victim is killed during $step, $moment',
  async (kill) => {
    const run = await trial.during(() =>
      trial.run(async (id) => {
        await momentOf(trial.millrace, kill, id, usual);
        await trial.kill(kill.victim);
        await trial.recover();
      }),
    );
    await expectEachEffectOnce(trial.millrace, run);
    completed += 1;
  },
);

/** Steps whose worker died in the middle and was followed by another. */
const takenOver = (): number =>
  trial.millrace.log.events.filter(({ type, data }) => {
    const lease = (data as { result?: { lease?: number } }).result?.lease ?? 0;
    return type.endsWith('.step.succeeded.v1') && lease > 1;
  }).length;

test('nothing is lost, doubled or left undone', async () => {
  await trial.check();
  console.log(
    `F1: ${completed} of ${plan.length} runs completed with each effect once; ${takenOver()} steps taken over by another worker`,
  );
  expect(completed).toBe(plan.length);
});
