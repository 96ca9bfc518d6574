import { Unavailable } from '@millrace/errors';
import { createRandom } from '@millrace/random';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Platform, projectFiles, recipe, statesOf, stepOf } from './platform.ts';

let platform: Platform;

beforeAll(async () => {
  platform = await Platform.start();
});
afterAll(() => platform.stop());

/** A run takes this long or so when nothing goes wrong; kills are spread over it. */
const spreadMs = 400;

test('a run completes with each effect once, wherever the pipeline is killed', async () => {
  const random = createRandom(11);
  for (const name of ['one', 'two', 'three']) {
    platform.workers.effects.length = 0;
    await platform.forkPipeline();
    const files = projectFiles({ 'recipe.yaml': recipe('  deploy:\n', `name: ${name}\n`) });
    const { id, steps } = await platform.submit(files);
    for (let kills = 0; kills < 4; kills += 1) {
      // Not a wait for anything: the moment of the kill is what is varied.
      await new Promise((resolve) => setTimeout(resolve, random.integer(spreadMs)));
      await platform.killPipeline();
      await platform.forkPipeline();
    }
    const run = await platform.until(id, 'SUCCEEDED', 'FAILED', 'CANCELLED');
    expect(statesOf(run)).toEqual(steps.map((step) => `${step.name}:SUCCEEDED`));
    expect(platform.workers.effects).toEqual(steps.map((step) => `${id}.${step.name}.1`));
    expect(run.refusedResults).toBe(0);
    const own = () => platform.events.filter(({ key }) => key === id);
    await vi.waitFor(() => expect(own().at(-1)?.type).toBe('millrace.pipeline.run.succeeded.v1'), {
      timeout: 60_000,
    });
    const sequences = [...new Set(own().map(({ sequence }) => sequence))];
    expect(sequences).toEqual(Array.from({ length: 2 + 2 * steps.length }, (_, index) => index + 1));
    await platform.killPipeline();
  }
}, 480_000);

test('a run completes when the broker is killed during one of its steps', async () => {
  platform.workers.effects.length = 0;
  await platform.forkPipeline();
  let seen: () => void = () => {};
  const training = new Promise<void>((resolve) => {
    seen = resolve;
  });
  platform.workers.behaviours.set('train', async (_, succeed) => {
    seen();
    await broken;
    return succeed();
  });
  const { id } = await platform.submit(projectFiles({ 'recipe.yaml': recipe('', 'name: broker\n') }));
  const broken = (async () => {
    await training;
    await platform.broker.kill();
    await platform.broker.start();
  })();
  await broken;
  const run = await platform.until(id, 'SUCCEEDED', 'FAILED', 'CANCELLED');
  expect(statesOf(run).every((state) => state.endsWith(':SUCCEEDED'))).toBe(true);
});

test('a retry that fell due while nothing ran comes at the start', async () => {
  platform.workers.behaviours.clear();
  await platform.killPipeline();
  // Longer than it takes to see the step wait and to stop, on any machine that this runs on.
  const settings = { MILLRACE_PIPELINE_RETRY_MS: '8000' };
  await platform.startPipeline(settings);
  let attempts = 0;
  platform.workers.behaviours.set('split', async (_, succeed) => {
    attempts += 1;
    if (attempts === 1) throw new Unavailable('the disk is away');
    return succeed();
  });
  const { id } = await platform.submit(projectFiles({ 'recipe.yaml': recipe('', 'name: late\n') }));
  await vi.waitFor(
    async () =>
      expect(stepOf(await platform.get(id), 'split')).toMatchObject({
        state: 'STEP_STATE_PENDING',
        attempt: 1,
      }),
    { timeout: 60_000, interval: 10 },
  );
  await platform.stopPipeline();
  expect(attempts).toBe(1);
  await platform.startPipeline(settings);
  await platform.until(id, 'SUCCEEDED');
  expect(attempts).toBe(2);
});

test('an attempt whose worker is gone for good is given up after its deadline', async () => {
  platform.workers.behaviours.clear();
  await platform.stopPipeline();
  const settings = { MILLRACE_PIPELINE_BACKSTOP_MS: '1' };
  await platform.startPipeline(settings);
  const release: (() => void)[] = [];
  // A worker that does not even hear its own timeout, for as long as the step protocol waits for it.
  platform.workers.behaviours.set('train', async ({ command }, succeed) => {
    if (command.attempt === 1) await new Promise<void>((resolve) => release.push(resolve));
    return succeed();
  });
  const files = projectFiles({ 'recipe.yaml': recipe('    timeout: 200ms\n', 'name: lost\n') });
  const { id } = await platform.submit(files);
  const run = await platform.until(id, 'SUCCEEDED', 'FAILED');
  expect(stepOf(run, 'train')).toMatchObject({ state: 'STEP_STATE_SUCCEEDED', attempt: 2 });
  for (const resolve of release) resolve();
  // What the lost worker still says is refused.
  await vi.waitFor(async () => expect((await platform.get(id)).refusedResults).toBe(1), { timeout: 60_000 });
});
