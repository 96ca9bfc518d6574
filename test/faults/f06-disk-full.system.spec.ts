import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '@millrace/contracts/pipeline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CliAnswer, millraceCommand } from '../support/cli.ts';
import { quickRecipe, someFlights, writeProject } from '../support/flights-project.ts';
import { followToEnd } from '../support/runs.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { eventually, until } from '../support/wait.ts';
import { Trial, testSeed } from './support/trial.ts';

const diskMegabytes = 160;
/** The model of the run that a trial begins with. */
const champion = 'trial-1';
const rows = 1_000;
/** How much is left, in kilobytes: none, and too little for a run. */
const leftovers = [0, 700, 2_400];

const disk = SmallDisk.mount(diskMegabytes);
const onSmallDisk = test.skipIf(disk === undefined);
const outcomes: string[] = [];
let trial: Trial;

beforeAll(async () => {
  if (disk === undefined) return;
  trial = await Trial.start({
    fault: 'F6',
    title: 'disk full',
    seed: testSeed,
    separate: false,
    dataDir: disk.directory,
  });
});

afterAll(async () => {
  if (disk === undefined) return;
  disk.relieve();
  // The mount point itself cannot be removed.
  await trial?.stop().catch(() => {});
  disk.unmount();
});

const approveAndFinish = async (runId: string): Promise<Run> => {
  await trial.approve(runId);
  return followToEnd(trial.millrace, runId);
};

const championState = async () => {
  const { client } = trial.millrace;
  const { endpoint, revisions } = await client.deployment.getEndpoint({ name: champion });
  return {
    traffic: endpoint?.traffic,
    // Without the counts of what was served.
    revisions: revisions.map(({ number, state, modelDigest }) => ({ number, state, modelDigest })),
    versions: (await client.registry.listModelVersions({ model: champion })).modelVersions,
    moves: (await client.registry.listAliasHistory({ model: champion })).moves,
    deadLetters: await client.deadLetters(),
  };
};

/** Has the client try so many writes more, whatever comes of them. */
const untilTried = async (more: number): Promise<void> => {
  const { operations } = trial.history;
  const enough = operations.length + more;
  await trial.during(() => until('some writes', () => (operations.length >= enough ? true : undefined)));
};

/** Predictions and reads, through the client and the command line. */
const expectReadable = async (before: Awaited<ReturnType<typeof championState>>): Promise<void> => {
  expect(await championState()).toEqual(before);
  const answer = (await trial.millrace.client.invoke(champion, {
    dataframe_records: before.versions[0]?.inputExample.slice(0, 1),
  })) as { revision: number };
  expect(answer.revision).toBe(1);
  for (const args of [['models'], ['runs']]) {
    const { exitCode, stderr } = await millraceCommand(['--json', ...args], {
      dataDir: trial.millrace.dataDir,
      cwd: trial.millrace.dataDir,
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  }
};

/** No half of an upload stays, and what a blob's name promises is what it holds. */
const expectWholeBlobs = async (): Promise<void> => {
  const blobs = join(trial.millrace.dataDir, 'blobs');
  await eventually('the end of uploads', async () => expect(await readdir(join(blobs, 'tmp'))).toEqual([]));
  const files = await readdir(join(blobs, 'sha256'), { recursive: true, withFileTypes: true });
  for (const file of files.filter((entry) => entry.isFile())) {
    const bytes = await readFile(join(file.parentPath, file.name));
    const digest = createHash('sha256').update(bytes).digest('hex');
    expect(digest.endsWith(file.name)).toBe(true);
  }
};

/** How a command that met the full disk ended: refused, as what it is, before anything was submitted. */
const judged = ({ exitCode, stdout, stderr }: CliAnswer): string => {
  expect({ exitCode, stdout, stderr }).toMatchObject({
    exitCode: 7,
    stdout: '',
    stderr: expect.stringContaining('exhausted'),
  });
  expect(stderr).toMatch(/space|full/i);
  return 'refused before anything was submitted';
};

onSmallDisk.each(leftovers)(
  'with %i KB left a run is refused at once, and runs once there is space',
  async (left) => {
    if (disk === undefined) return;
    const before = await championState();
    const name = `full-${left}`;
    const root = await writeProject({
      'recipe.yaml': quickRecipe(name, left + 2),
      'data/flights.csv': await someFlights(rows),
    });
    const place = { dataDir: trial.millrace.dataDir, cwd: root };
    disk.fill(left * 1024);
    trial.inject(`disk full but for ${left} KB`);
    await untilTried(9);
    const outcome = judged(await millraceCommand(['--json', 'run'], place));
    await expectReadable(before);
    disk.relieve();
    trial.heal('space on the disk');
    await trial.recover();
    outcomes.push(`${left} KB: ${outcome}`);

    const again = await millraceCommand(['--json', 'run'], place);
    await rm(root, { recursive: true, force: true });
    expect(again).toMatchObject({ exitCode: 0, stderr: '' });
    const run = JSON.parse(again.stdout) as Run;
    expect((await approveAndFinish(run.id)).state).toBe('RUN_STATE_SUCCEEDED');
    await expectWholeBlobs();
    await expectReadable(before);
  },
);

onSmallDisk('nothing acknowledged is lost, and nothing refused was done', async () => {
  await trial.check();
  for (const outcome of outcomes) console.log(`F6, ${outcome}`);
});
