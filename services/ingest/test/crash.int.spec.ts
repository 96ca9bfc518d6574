import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IngestFixture, outputOf, type StartService, startIngest } from './ingest-fixture.ts';

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
  ingest = await startIngest({ MILLRACE_STEP_LEASE_MS: '500' }, separately);
});
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
