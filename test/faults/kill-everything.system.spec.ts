import { createRandom } from '@millrace/random';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { retried } from '../support/calls.ts';
import { TestInstallation } from '../support/installation.ts';
import { followToEnd, followToPause, modelVersionOf } from '../support/runs.ts';
import { eventually } from '../support/wait.ts';
import { brokenSequences, expectEachEffectOnce } from './effects.ts';
import { type StepName, steps } from './kill-plan.ts';
import { durationsOf, momentOf, submitQuickRun } from './quick-run.ts';

const seed = Number(process.env.MILLRACE_TEST_SEED ?? 20130101);
const embedded = { separate: false, env: { MILLRACE_STEP_LEASE_MS: '2000' } } as const;

let millrace: TestInstallation;
let usual: ReadonlyMap<string, number>;
let crashes = 0;

const approve = async (runId: string): Promise<void> => {
  const paused = await followToPause(millrace, runId);
  if (paused.state !== 'RUN_STATE_WAITING') return;
  await retried('the approval', () =>
    millrace.client.registry.approveModelVersion({ ...modelVersionOf(paused) }),
  );
};

beforeAll(async () => {
  millrace = await TestInstallation.start(embedded);
  for (const [seed, name] of ['first', 'undisturbed'].entries()) {
    const id = await submitQuickRun(millrace, name, seed);
    await approve(id);
    const run = await followToEnd(millrace, id);
    await expectEachEffectOnce(millrace, run);
    // Of the second one: everything is loaded then.
    usual = durationsOf(run);
  }
});

afterAll(async () => {
  await millrace?.stop();
});

const crashDuring = async (step: StepName, at: number, runId: string): Promise<void> => {
  await momentOf(millrace, { step, at }, runId, usual);
  await millrace.crash();
  crashes += 1;
  millrace = await TestInstallation.start({ ...embedded, dataDir: millrace.dataDir });
};

/** These come after the approval, the others before it. */
const afterApproval = new Set<StepName>(['deploy', 'monitor']);

test.each(steps)(
  'a run goes on where it was when the whole of Millrace is killed during %s and started again',
  async (step) => {
    const at = createRandom(seed).derive(step).uniform();
    const id = await submitQuickRun(millrace, `all-${step}`, 2 + steps.indexOf(step));
    if (!afterApproval.has(step)) await crashDuring(step, at, id);
    await approve(id);
    if (afterApproval.has(step)) await crashDuring(step, at, id);
    await expectEachEffectOnce(millrace, await followToEnd(millrace, id));
  },
);

test('no event is missing or doubled after all the crashes', async () => {
  const { client, log } = millrace;
  await eventually('the sequences', () => expect(brokenSequences(log.events)).toEqual([]));
  expect(await client.deadLetters()).toEqual([]);
  const { runs } = await client.pipeline.listRuns({ page: { limit: 100 } });
  expect(runs.filter(({ state }) => state === 'RUN_STATE_SUCCEEDED')).toHaveLength(steps.length + 2);
  console.log(
    `seed ${seed}: ${crashes} crashes of everything, ${runs.length} runs acknowledged and succeeded, ${log.events.length} events without gap or double`,
  );
});
