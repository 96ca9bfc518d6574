import { createRandom } from '@millrace/random';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { followToEnd } from '../support/runs.ts';
import { expectEachEffectOnce } from './effects.ts';
import { type StepName, steps } from './kill-plan.ts';
import { durationsOf, momentOf } from './quick-run.ts';
import { isThorough, Trial, testSeed } from './support/trial.ts';

const sampleSize = 3;
const random = createRandom(testSeed);
const chosen = isThorough ? steps : random.shuffle([...steps]).slice(0, sampleSize);

let trial: Trial;
let usual: ReadonlyMap<string, number>;

beforeAll(async () => {
  trial = await Trial.start({
    fault: 'F1b',
    title: 'everything killed at once',
    seed: testSeed,
    separate: false,
  });
  const run = await trial.run();
  await expectEachEffectOnce(trial.millrace, run);
  // Everything is loaded then.
  usual = durationsOf(run);
});

afterAll(async () => {
  await trial?.stop();
});

const crashDuring = async (step: StepName, at: number, runId: string): Promise<void> => {
  trial.workload.start();
  await momentOf(trial.millrace, { step, at }, runId, usual);
  await trial.crashAndRestart();
  await trial.workload.stop();
  await trial.recover();
};

/** These come after the approval, the others before it. */
const afterApproval = new Set<StepName>(['deploy', 'monitor']);

test.each(chosen)(
  'a run goes on where it was when the whole of Millrace is killed during %s and started again',
  async (step) => {
    const at = random.derive(step).uniform();
    const id = await trial.submit();
    if (!afterApproval.has(step)) await crashDuring(step, at, id);
    await trial.approve(id);
    if (afterApproval.has(step)) await crashDuring(step, at, id);
    await trial.finishRuns();
    await expectEachEffectOnce(trial.millrace, await followToEnd(trial.millrace, id));
  },
);

test('nothing is lost, doubled or left undone', async () => {
  await trial.check();
  const { runs } = await trial.millrace.client.pipeline.listRuns({ page: { limit: 100 } });
  expect(runs.filter(({ state }) => state === 'RUN_STATE_SUCCEEDED')).toHaveLength(chosen.length + 2);
});
