import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type IngestFixture, outputOf, type StartService, startIngest } from './ingest-fixture.ts';
import { buildEnvironment, buildTimeoutMs, csv, pythonRecipe } from './python-project.ts';

let ingest: IngestFixture;
let child: ChildProcess;
let startAgain: () => Promise<void>;

const main = join(import.meta.dirname, '../src/main.ts');

/** The service as a process of its own. */
const separately: StartService = async (env) => {
  const start = async () => {
    child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const [message] = (await once(child, 'message')) as [{ grpcPort: number }];
    return message.grpcPort;
  };
  startAgain = async () => void (await start());
  return {
    grpcPort: await start(),
    stop: async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
};

beforeAll(async () => {
  await buildEnvironment();
  ingest = await startIngest({ MILLRACE_STEP_LEASE_MS: '500' }, separately);
}, buildTimeoutMs);
afterAll(() => ingest.stop());

const large = `id,y\n${Array.from({ length: 400_000 }, (_, index) => `${index},${index / 7}`).join('\n')}\n`;

describe('a service that is killed while it ingests', () => {
  it.each(['collecting files', 'reading', 'checking', 'storing', 'profiling'])(
    'when it comes to %s, ends the step once after its restart',
    async (moment) => {
      const dataset = `killed-${moment.split(' ', 1)[0]}`;
      const reached = ingest.progress(dataset, moment);
      const key = await ingest.send('ingest', {
        pipelineRunId: dataset,
        config: { using: 'csv', location: 'l.csv', dataset },
        files: { 'l.csv': large },
      });
      await reached;
      child.kill('SIGKILL');
      await once(child, 'exit');
      await startAgain();
      const found = outputOf(await ingest.result(key), 'dataset');
      expect(found.attributes).toMatchObject({ version: '1', rows: '400000' });
      const events = await ingest.eventsSoFar();
      const keys = events.map((event) => event.key);
      expect(keys.filter((one) => one === key)).toHaveLength(1);
      expect(keys.filter((one) => one === found.id)).toHaveLength(1);
      expect(await readdir(join(ingest.dataDir, 'ingest', 'tmp'))).toEqual([]);
    },
  );
});

/** Tells in a file of its own that it runs, and stays until it is told to go on. */
const waitingLoader = (directory: string) => `import os, time
import pandas as pd


def load(path, file_format):
    here = os.path.join(${JSON.stringify(directory)}, "pids")
    with open(here, "a") as f:
        f.write(f"{os.getpid()}\\n")
    while not os.path.exists(os.path.join(${JSON.stringify(directory)}, "go on")):
        time.sleep(0.02)
    return pd.read_csv(path)
`;

describe('a service that is killed while a worker reads in Python', () => {
  it('ends the step once after its restart, and leaves no worker and no file behind', async () => {
    const pidsSoFar = async () =>
      (await readFile(join(ingest.dataDir, 'pids'), 'utf8').catch(() => '')).split('\n').filter(Boolean);
    const key = await ingest.send('ingest', {
      pipelineRunId: 'killed-python',
      config: { using: 'csv', loader_method: 'load', location: 'a.csv', dataset: 'killed-python' },
      files: { 'steps/ingest.py': waitingLoader(ingest.dataDir), 'a.csv': csv(20) },
      recipe: pythonRecipe,
    });
    const [first = ''] = await vi.waitFor(
      async () => {
        const pids = await pidsSoFar();
        expect(pids).toHaveLength(1);
        return pids;
      },
      { timeout: 30_000 },
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
    await vi.waitFor(() => expect(() => process.kill(Number(first), 0)).toThrow(), { timeout: 20_000 });
    await writeFile(join(ingest.dataDir, 'go on'), '');
    await startAgain();
    expect(outputOf(await ingest.result(key), 'dataset').attributes).toMatchObject({
      version: '1',
      rows: '20',
    });
    expect(await pidsSoFar()).toHaveLength(2);
    const keys = (await ingest.eventsSoFar()).map((event) => event.key);
    expect(keys.filter((one) => one === key)).toHaveLength(1);
    expect(await readdir(join(ingest.dataDir, 'ingest', 'tmp'))).toEqual([]);
  });
});
