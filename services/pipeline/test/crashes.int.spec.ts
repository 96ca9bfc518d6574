import { createRandom } from '@millrace/metrics';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Platform, projectFiles, recipe, statesOf } from './platform.ts';

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
      timeout: 20_000,
    });
    const sequences = [...new Set(own().map(({ sequence }) => sequence))];
    expect(sequences).toEqual(Array.from({ length: 2 + 2 * steps.length }, (_, index) => index + 1));
    await platform.killPipeline();
  }
}, 180_000);

test('a run completes when the broker is killed with everything that it had', async () => {
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
}, 120_000);

test('a retry and a deadline that were due while nothing ran come at the start', async () => {
  platform.workers.behaviours.clear();
  await platform.killPipeline();
  await platform.startPipeline();
  let attempts = 0;
  platform.workers.behaviours.set('split', async (_, succeed) => {
    attempts += 1;
    if (attempts === 1) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    return succeed();
  });
  const { id } = await platform.submit(projectFiles({ 'recipe.yaml': recipe('', 'name: late\n') }));
  await vi.waitFor(() => expect(attempts).toBe(1), { timeout: 20_000 });
  await platform.stopPipeline();
  await platform.startPipeline();
  await platform.until(id, 'SUCCEEDED');
  expect(attempts).toBe(2);
});
