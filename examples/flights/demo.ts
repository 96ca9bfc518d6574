/**
 * The whole life of a model, played on real flights: `npm run demo`. It starts Millrace on a data directory of its
 * own, and ends it again unless `--keep` is given. Repeating it is safe, and quick: what did not change is cached.
 */
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type FollowedRun, Story } from './story.ts';

const here = import.meta.dirname;
const root = join(here, '..', '..');

/** Rows of a CSV file as the endpoint takes them: everything but the target, numbers as numbers. */
const rowsOf = (file: string): { features: Record<string, unknown>; arrDelay: number }[] => {
  const [header = '', ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  const names = header.split(',');
  return lines.map((line) => {
    const cells = Object.fromEntries(line.split(',').map((cell, i) => [names[i] ?? '', cellValue(cell)]));
    const { arr_delay: arrDelay, ...features } = cells;
    return { features, arrDelay: Number(arrDelay) };
  });
};

const cellValue = (cell: string): string | number | null => {
  if (cell === '') return null;
  return /^-?\d+(\.\d+)?$/.test(cell) ? Number(cell) : cell;
};

/** Every third row from `first` on, 400 of them: flights of the whole period, as a day's traffic would not be. */
const spread = <T>(rows: readonly T[], first: number): T[] =>
  rows.filter((_, i) => i % 3 === first).slice(0, 400);

const story = await Story.begin({
  dataDir: process.env.MILLRACE_DATA_DIR ?? join(root, '.millrace', 'demo'),
  keep: process.argv.includes('--keep'),
});

try {
  const project = join(story.dataDir, 'project');
  rmSync(project, { recursive: true, force: true });
  for (const part of ['recipe.yaml', 'profiles', 'data'])
    cpSync(join(here, part), join(project, part), { recursive: true });
  const winter = rowsOf(join(here, 'live/2013-winter.csv'));
  const july = rowsOf(join(here, 'live/2013-07.csv'));

  await story.chapter(
    'A first model: ingest, validate, split, transform, search, evaluate, register',
    async () => {
      const run = await story.run(project, 'baseline');
      await story.approveAndDeploy(run, 'a sound baseline');
      await story.promoteFully('first model of this endpoint');
    },
  );

  await story.chapter('It serves: 400 more winter flights', async () => {
    await story.predict(spread(winter, 0));
  });

  let boosted: FollowedRun | undefined;
  await story.chapter('A challenger: boosted trees, held against the champion, as a canary', async () => {
    boosted = await story.run(project, 'boosted');
    await story.approveAndDeploy(boosted, 'within a minute of the champion, sees long-haul better');
    await story.predict(spread(winter, 1));
    await story.promoteFully('the canary answered well');
  });

  await story.chapter('July arrives', async () => {
    // The files that a retraining will read: what was learnt from, and what has come since.
    cpSync(join(here, 'live/2013-07.csv'), join(project, 'data/2013-07.csv'));
    await story.push(project, 'boosted');
    await story.predict(spread(july, 0));
    await story.waitForDrift();
    await story.rollBack('July is not what it learnt: back to the simple model while a new one is trained');
  });

  await story.chapter('The drift asked for a new model', async () => {
    const retrained = await story.followRetraining();
    await story.approveAndDeploy(retrained, 'has seen July');
    await story.predict(spread(july, 1));
    await story.promoteFully('the retrained canary answered well');
  });

  await story.summarise();
} catch (thrown) {
  story.fail(thrown);
} finally {
  await story.end();
}
