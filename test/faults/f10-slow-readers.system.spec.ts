import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apiPrefix } from '@millrace/rest';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { publishForeign, untilHandled } from '../support/stream.ts';
import { eventually, pause } from '../support/wait.ts';
import { digestOfBytes } from './support/evidence.ts';
import { drainedBytes, requestAndStall } from './support/raw-client.ts';
import { processUse } from './support/resources.ts';
import { Trial, testSeed } from './support/trial.ts';

const stallMs = 2_000;
const readers = 5;
const blobBytes = 48 * 1024 * 1024;
const bulk = { events: 40, bytes: 500_000 };
/** What all stalled readers together may make the gateway hold, MiB; what waits for them is ten times as much. */
const mostGrowthMiB = 200;
/** Beyond the time after which the broker delivers what nobody acknowledged again. */
const slowConsumerMs = 15_000;

let trial: Trial;

beforeAll(async () => {
  trial = await Trial.start({
    fault: 'F10',
    title: 'slow consumers and readers',
    seed: testSeed,
    env: { MILLRACE_STREAM_STALL_MS: String(stallMs) },
  });
});

afterAll(() => trial?.stop());

const gatewayMiB = async (): Promise<number> =>
  processUse((await trial.millrace.pids()).gateway ?? 0)?.rssMiB ?? 0;

test('readers that take nothing are cut off with a reason, and cost neither memory nor anybody else', async () => {
  const { client, dataDir, log } = trial.millrace;
  const blob = Buffer.alloc(blobBytes, 'slow');
  const digest = digestOfBytes(blob);
  await client.uploadBytes(digest, blob);
  const text = 'x'.repeat(bulk.bytes);
  for (let event = 0; event < bulk.events; event += 1) {
    // Of a type that nobody here knows: only who reads everything gets it.
    await publishForeign(log.bus, {
      type: 'millrace.test.bulk.noted.v1',
      entity: 'test.bulk/one',
      sequence: event + 1,
      payload: JSON.stringify({ event, text }),
    });
  }
  const before = await gatewayMiB();
  trial.inject(`${2 * readers} readers that take nothing`);
  const sockets = Array.from({ length: readers }, () => [
    requestAndStall(trial, `${apiPrefix}/events?since=all`),
    requestAndStall(trial, `${apiPrefix}/blobs/${digest}`),
  ]).flat();
  await trial.during(async () => {
    expect((await trial.run()).state).toBe('RUN_STATE_SUCCEEDED');
    await eventually('the reasons', async () => {
      // The readers can not be told: they take nothing.
      const lines = (await readFile(join(dataDir, 'millrace.log'), 'utf8')).split('\n');
      expect(lines.filter((line) => line.includes('took nothing for'))).toHaveLength(sockets.length);
    });
  });
  const grown = (await gatewayMiB()) - before;
  trial.heal('cut off');
  for (const socket of sockets) {
    const whole = bulk.events * bulk.bytes;
    expect(await drainedBytes(socket)).toBeLessThan(Math.min(whole, blobBytes));
  }
  await trial.recover();
  console.log(`F10: ${sockets.length} readers cut off; the gateway grew by ${grown} MiB`);
  expect(grown).toBeLessThan(mostGrowthMiB);
});

test('a consumer that stands still holds up nobody, and loses no delivery to its slowness', async () => {
  const pid = (await trial.millrace.pids()).monitoring ?? 0;
  trial.inject('SIGSTOP of monitoring');
  process.kill(pid, 'SIGSTOP');
  try {
    const begun = performance.now();
    // Without the step that monitoring itself does, a run gets as far as it can.
    await trial.during(async () => {
      await trial.submit();
      await pause(Math.max(0, slowConsumerMs - (performance.now() - begun)));
    });
    expect(trial.history.operations.slice(-20).map(({ outcome }) => outcome)).not.toContain('unknown');
  } finally {
    process.kill(pid, 'SIGCONT');
    trial.heal('SIGCONT of monitoring');
  }
  await trial.recover();
  await trial.finishRuns();
  await untilHandled(trial.millrace.log.bus);
  expect(await trial.millrace.client.deadLetters(10)).toEqual([]);
});

test('nothing is lost or given up on', async () => {
  await trial.check();
});
