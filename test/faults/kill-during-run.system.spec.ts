import { isAlive } from '@millrace/installation';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { retried } from '../support/calls.ts';
import { TestInstallation } from '../support/installation.ts';
import { followToEnd, followToPause, modelVersionOf } from '../support/runs.ts';
import { eventually, until } from '../support/wait.ts';
import { AcknowledgedWrites } from './acknowledged-writes.ts';
import { brokenSequences, expectEachEffectOnce } from './effects.ts';
import { describeMoment, type Kill, planKills } from './kill-plan.ts';
import { durationsOf, momentOf, submitQuickRun } from './quick-run.ts';

const seed = Number(process.env.MILLRACE_TEST_SEED ?? 20130101);
const full = process.env.MILLRACE_KILL_MATRIX === 'full';
const plan = planKills(seed, full);

/** A worker that was killed is given up on after this long; as short as the settings allow with a margin. */
const stepLeaseMs = 2_000;

let millrace: TestInstallation;
let writes: AcknowledgedWrites;
/** Milliseconds that each step took with nothing killed. */
let usual: ReadonlyMap<string, number>;
const counts = { runsTried: 0, runsAcknowledged: 0, runsFound: 0, approvals: 0, kills: 0, completed: 0 };

beforeAll(async () => {
  millrace = await TestInstallation.start({
    separate: true,
    env: { MILLRACE_STEP_LEASE_MS: String(stepLeaseMs) },
  });
  await expectEachEffectOnce(millrace, await runOnce('first', 0));
  // Everything is loaded now: this one takes as long as those to come.
  const run = await runOnce('undisturbed', 1);
  usual = durationsOf(run);
  const training = run.steps.flatMap(({ outputs }) => outputs).find(({ kind }) => kind === 'training_run');
  writes = new AcknowledgedWrites(millrace.client, training?.id ?? '', 'undisturbed');
}, 120_000);

afterAll(async () => {
  await millrace?.stop();
});

/** Runs a new project to its end, approving what waits; `disturb` happens meanwhile. */
const runOnce = async (name: string, projectSeed: number, disturb = async (_runId: string) => {}) => {
  const { client } = millrace;
  const id = await submitQuickRun(millrace, name, projectSeed, () => {
    counts.runsTried += 1;
  });
  counts.runsAcknowledged += 1;
  const disturbed = disturb(id);
  // Its failure is told below, once the run has come to its end.
  disturbed.catch(() => {});
  const paused = await followToPause(millrace, id);
  if (paused.state === 'RUN_STATE_WAITING') {
    await retried('the approval', () => client.registry.approveModelVersion({ ...modelVersionOf(paused) }));
    counts.approvals += 1;
  }
  await disturbed;
  return followToEnd(millrace, id, 120_000);
};

/** Kills the victim in the middle of a step and waits for it to be back. */
const killDuring = async (kill: Kill, runId: string): Promise<void> => {
  const { victim } = kill;
  const pid = (await millrace.pids())[victim];
  if (pid === undefined) throw new Error(`${victim} does not run`);
  await momentOf(millrace, kill, runId, usual);
  process.kill(pid, 'SIGKILL');
  counts.kills += 1;
  await until(`${victim} to be back`, async () => {
    const { pids } = await millrace.state();
    const now = pids[victim];
    return now !== undefined && now !== pid && isAlive(now) ? true : undefined;
  });
};

test.each(plan.map((kill, number) => ({ ...kill, number, moment: describeMoment(kill.at) })))(
  'a run completes, with every effect once, when $victim is killed during $step, $moment',
  async ({ number, ...kill }) => {
    const name = `${kill.victim}-${kill.step}-${number}`;
    writes.start();
    const run = await runOnce(name, 2 + number, (runId) => killDuring(kill, runId));
    await writes.stop();
    await expectEachEffectOnce(millrace, run);
    counts.completed += 1;
  },
);

test('no event is missing or doubled, and nothing acknowledged is lost', async () => {
  const { client, log } = millrace;
  await eventually('the sequences', () => expect(brokenSequences(log.events)).toEqual([]));
  const { runs } = await client.pipeline.listRuns({ page: { limit: 1_000 } });
  counts.runsFound = runs.length;
  expect(counts.runsFound).toBe(counts.runsAcknowledged);
  expect(await client.deadLetters()).toEqual([]);
  const { lost, counts: written } = await eventually('the writes', async () => {
    const verified = await writes.verify();
    expect(verified.lost).toEqual([]);
    return verified;
  });
  expect(lost).toEqual([]);
  expect(writes.unexpected).toEqual([]);
  const audit = await client.registry.verifyAudit({});
  expect(audit.intact).toBe(true);
  console.log(summary(written, audit.records));
});

/** Steps whose worker died in the middle and was followed by another. */
const takenOver = (): number =>
  millrace.log.events.filter(({ type, data }) => {
    const lease = (data as { result?: { lease?: number } }).result?.lease ?? 0;
    return type.endsWith('.step.succeeded.v1') && lease > 1;
  }).length;

const summary = (written: object, auditRecords: number): string =>
  [
    `kill test, seed ${seed}${full ? ', full matrix' : ''}: ${counts.kills} kills, ${counts.completed} of ${plan.length} runs completed with each effect once; ${takenOver()} steps taken over by another worker`,
    `runs: ${counts.runsTried} submissions tried, ${counts.runsAcknowledged} acknowledged, ${counts.runsFound} found; ${counts.approvals} approvals acknowledged`,
    `writes: ${JSON.stringify(written)}`,
    `events: ${millrace.log.events.length} of ${new Set(millrace.log.events.map(({ entity }) => entity)).size} entities, none missing or doubled; audit chain of ${auditRecords} records intact`,
  ].join('\n');
