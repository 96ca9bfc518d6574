import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serviceNames } from '@millrace/service-kit';
import { findObstacle, type MongoServer, startMongoServer } from '@millrace/store/mongo-server';
import { afterEach, describe, expect, test } from 'vitest';
import { pause, until } from '../support/wait.ts';
import { lockStore } from './support/lock-store.ts';
import { Trial, testSeed } from './support/trial.ts';

/** A commit waits so long for a lock; see `libs/store`. Milliseconds. */
const busyPatienceMs = 5_000;
/** Until a call must have been answered, whatever happens to the store. Milliseconds. */
const deadlineMs = 60_000;

let trial: Trial | undefined;
let server: MongoServer | undefined;

afterEach(async () => {
  await trial?.stop();
  await server?.kill();
  trial = undefined;
  server = undefined;
});

/** Changes a policy over plain HTTP. */
const changePolicy = async (url: string, token: string) => {
  const begun = performance.now();
  const answer = await fetch(`${url}/api/v1/models/trial-1/policy`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ policy: { requiredApprovals: 1 }, reason: 'while it is locked' }),
    signal: AbortSignal.timeout(deadlineMs),
  });
  const { status, headers } = answer;
  const body = await answer.text();
  return { status, body, retryAfter: headers.get('retry-after'), tookMs: performance.now() - begun };
};

const expectRefusal = (answer: Awaited<ReturnType<typeof changePolicy>>): void => {
  expect(answer).toMatchObject({ status: 503, body: expect.stringContaining('unavailable') });
  expect(Number(answer.retryAfter)).toBeGreaterThanOrEqual(1);
};

test('a locked store is waited for, then refuses with 503 and Retry-After, and reads go on', async () => {
  trial = await Trial.start({ fault: 'F4', title: 'SQLite locked', seed: testSeed });
  const { millrace, secret } = trial;
  const own = trial;
  await own.during(async () => {
    own.inject('a short lock on the registry');
    const release = lockStore(millrace.dataDir, 'registry');
    const waiting = changePolicy(millrace.url, secret);
    await pause(busyPatienceMs / 5);
    release();
    expect(await waiting).toMatchObject({ status: 200 });

    own.inject('a long lock on the registry');
    const releaseLong = lockStore(millrace.dataDir, 'registry');
    try {
      const refused = await changePolicy(millrace.url, secret);
      expectRefusal(refused);
      expect(refused.tookMs).toBeGreaterThan(busyPatienceMs / 2);
      const { modelVersions } = await millrace.client.registry.listModelVersions({ model: 'trial-1' });
      expect(modelVersions).toHaveLength(1);
    } finally {
      releaseLong();
    }
    own.heal('no lock');
    await own.recover();
  });

  // A run outlives a lock on every store in turn.
  const run = await own.during(() =>
    own.run(async () => {
      for (const service of serviceNames) {
        own.inject(`lock on ${service}`);
        const release = lockStore(own.millrace.dataDir, service);
        await pause(300);
        release();
      }
      await own.recover();
    }),
  );
  expect(run.state).toBe('RUN_STATE_SUCCEEDED');
  await own.check();
});

describe('MongoDB', async () => {
  const obstacle = await findObstacle();

  test.skipIf(obstacle !== undefined)(
    'a server that is killed and restarted with work in flight loses nothing',
    async () => {
      const file = join(await mkdtemp(join(tmpdir(), 'millrace-mongo-')), 'mongo.db');
      server = await startMongoServer({ file });
      trial = await Trial.start({
        fault: 'F4',
        title: 'MongoDB server killed and restarted',
        seed: testSeed,
        env: { MILLRACE_STORE_URL: server.url },
      });
      const own = trial;
      const { port } = server;
      const { millrace, secret } = own;
      const run = await own.during(() =>
        own.run(async () => {
          own.inject('kill -9 of the MongoDB server');
          await server?.kill();
          expectRefusal(await changePolicy(millrace.url, secret));
          await until('degraded health', async () =>
            (await millrace.client.status()).registry?.problems.store === undefined ? undefined : true,
          );
          server = await startMongoServer({ file, port });
          own.heal('the MongoDB server is back');
          await own.recover();
        }),
      );
      expect(run.state).toBe('RUN_STATE_SUCCEEDED');
      await own.check();
    },
  );
});
