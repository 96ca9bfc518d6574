import { rm } from 'node:fs/promises';
import type { Run } from '@millrace/contracts/pipeline';
import { retried } from '../support/calls.ts';
import { quickRecipe, someFlights, writeProject } from '../support/flights-project.ts';
import type { TestInstallation } from '../support/installation.ts';
import { submit } from '../support/runs.ts';
import { pause } from '../support/wait.ts';
import type { Kill, StepName } from './kill-plan.ts';

const rows = 400;
let flights: Promise<string> | undefined;

/** Submits a run of a new project that has every step; repeated until it is acknowledged. */
export const submitQuickRun = async (
  { client }: TestInstallation,
  name: string,
  seed: number,
  onTry = () => {},
): Promise<string> => {
  flights ??= someFlights(rows);
  // Other data in each, so that nobody has them loaded already.
  const [header, ...lines] = (await flights).split('\n');
  const data = [header, ...lines.slice(seed % (rows / 4))].join('\n');
  const root = await writeProject({ 'recipe.yaml': quickRecipe(name, seed), 'data/flights.csv': data });
  const { id } = await retried('the submission', () => {
    onTry();
    return submit(client, { root, idempotencyKey: name });
  });
  await rm(root, { recursive: true, force: true });
  return id;
};

/** Milliseconds that each step of a run took. */
export const durationsOf = (run: Run): ReadonlyMap<string, number> =>
  new Map(
    run.steps.map(({ name, startedAt, finishedAt }) => [
      name,
      Date.parse(finishedAt ?? '') - Date.parse(startedAt ?? ''),
    ]),
  );

/** Waits for the moment of a kill: a share of a step's usual duration after its start, or its result. */
export const momentOf = async (
  { log }: TestInstallation,
  { step, at }: Pick<Kill, 'step' | 'at'>,
  runId: string,
  usual: ReadonlyMap<string, number>,
): Promise<void> => {
  if (at === 'result') {
    const key = `${runId}.${step}.1`;
    await log.waitFor(`the result of ${step}`, (event) => event.key === key);
    return;
  }
  await log.waitFor(`the start of ${step}`, ({ type, key, data }) => {
    if (type !== 'millrace.pipeline.run.step_started.v1' || key !== runId) return false;
    return (data as { step: { name: StepName } }).step.name === step;
  });
  await pause(at * (usual.get(step) ?? 0));
};
