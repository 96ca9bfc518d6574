import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '@millrace/contracts/pipeline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CliAnswer, millraceCommand } from '../support/cli.ts';
import { quickRecipe, someFlights, writeProject } from '../support/flights-project.ts';
import { TestInstallation } from '../support/installation.ts';
import { followToEnd, followToPause, modelVersionOf } from '../support/runs.ts';
import { SmallDisk } from '../support/small-disk.ts';
import { eventually } from '../support/wait.ts';
import { brokenSequences, expectEachEffectOnce } from './effects.ts';
import { submitQuickRun } from './quick-run.ts';

const diskMegabytes = 160;
const champion = 'champion';
const rows = 1_000;
/** How much is left, in kilobytes: none, and too little for a run. */
const leftovers = [0, 700, 2_400];

const disk = SmallDisk.mount(diskMegabytes);
const onSmallDisk = test.skipIf(disk === undefined);
const outcomes: string[] = [];
let millrace: TestInstallation;

const approveAndFinish = async (runId: string): Promise<Run> => {
  const paused = await followToPause(millrace, runId);
  await millrace.client.registry.approveModelVersion({ ...modelVersionOf(paused) });
  return followToEnd(millrace, runId);
};

beforeAll(async () => {
  if (disk === undefined) return;
  millrace = await TestInstallation.start({ separate: false, dataDir: disk.directory });
  const id = await submitQuickRun(millrace, champion, 1);
  await expectEachEffectOnce(millrace, await approveAndFinish(id));
});

afterAll(async () => {
  if (disk === undefined) return;
  disk.relieve();
  // The mount point itself cannot be removed.
  await millrace?.stop().catch(() => {});
  disk.unmount();
});

const championState = async () => {
  const { client } = millrace;
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

/** Predictions and reads, through the client and the command line. */
const expectReadable = async (before: Awaited<ReturnType<typeof championState>>): Promise<void> => {
  expect(await championState()).toEqual(before);
  const answer = (await millrace.client.invoke(champion, {
    dataframe_records: before.versions[0]?.inputExample.slice(0, 1),
  })) as { revision: number };
  expect(answer.revision).toBe(1);
  for (const args of [['models'], ['runs']]) {
    const { exitCode, stderr } = await millraceCommand(['--json', ...args], {
      dataDir: millrace.dataDir,
      cwd: millrace.dataDir,
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  }
};

/** No half of an upload stays, and what a blob's name promises is what it holds. */
const expectWholeBlobs = async (): Promise<void> => {
  const blobs = join(millrace.dataDir, 'blobs');
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
    const place = { dataDir: millrace.dataDir, cwd: root };
    disk.fill(left * 1024);
    const running = millraceCommand(['--json', 'run'], place);
    const outcome = judged(await running);
    await expectReadable(before);
    disk.relieve();
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

onSmallDisk('no event is missing or doubled and the audit log is whole after all that', async () => {
  await eventually('the sequences', () => expect(brokenSequences(millrace.log.events)).toEqual([]));
  expect(await millrace.client.registry.verifyAudit({})).toMatchObject({ intact: true });
  expect(await millrace.client.deadLetters()).toEqual([]);
  for (const outcome of outcomes) console.log(outcome);
  console.log(`${millrace.log.events.length} events without gap or double`);
});
