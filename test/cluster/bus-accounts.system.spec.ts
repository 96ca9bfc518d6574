import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { declaredConsumers, streams } from '@millrace/bus';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { brokenSequences, expectEachEffectOnce } from '../faults/effects.ts';
import { submitQuickRun } from '../faults/quick-run.ts';
import { retried } from '../support/calls.ts';
import { TestInstallation } from '../support/installation.ts';
import { followToEnd, followToPause, modelVersionOf } from '../support/runs.ts';
import { eventually, until } from '../support/wait.ts';

const stepLeaseMs = 2_000;
/** Made only where Kafka is configured. */
const optional = new Set(['bridge-kafka']);

let millrace: TestInstallation;
let certificates: string;

beforeAll(async () => {
  certificates = await mkdtemp(join(tmpdir(), 'millrace-certificates-'));
  millrace = await TestInstallation.start({
    separate: true,
    env: {
      MILLRACE_NATS_USERS: '1',
      MILLRACE_TLS_DIR: certificates,
      MILLRACE_STEP_LEASE_MS: String(stepLeaseMs),
    },
  });
});

afterAll(async () => {
  await millrace?.stop();
  delete process.env.MILLRACE_NATS_USERS;
  delete process.env.MILLRACE_TLS_DIR;
  await rm(certificates, { recursive: true, force: true });
});

const runOnce = async (name: string, seed: number): Promise<void> => {
  const { client } = millrace;
  const id = await submitQuickRun(millrace, name, seed);
  const paused = await followToPause(millrace, id);
  await retried('the approval', () => client.registry.approveModelVersion({ ...modelVersionOf(paused) }));
  const run = await followToEnd(millrace, id);
  await eventually('the effects', () => expectEachEffectOnce(millrace, run));
};

test('a run completes, with every effect once, where each service may only do what it needs, over TLS', async () => {
  expect(millrace.log.bus.internals.nc.info).toMatchObject({ tls_required: true, tls_verify: true });
  await runOnce('with-users', 1);
  await eventually('the sequences', () => expect(brokenSequences(millrace.log.events)).toEqual([]));
  expect(await millrace.client.deadLetters()).toEqual([]);
});

test('every service takes its messages from the consumers that the keeper made', async () => {
  const { jsm } = millrace.log.bus.internals;
  await eventually('the consumers', async () => {
    for (const { stream, declaration } of declaredConsumers({ stepLeaseMs })) {
      const name = declaration.durable_name;
      const info = await jsm.consumers.info(stream, name);
      if (!optional.has(name.replace(/-exhausted$/, ''))) expect(info.num_waiting, name).toBeGreaterThan(0);
    }
  });
});

test('what the broker lost is made again by the keeper and filled again by the services', async () => {
  const { jsm } = millrace.log.bus.internals;
  const before = new Set(millrace.log.events.map(({ id }) => id));
  await jsm.streams.delete(streams.events);
  await until('the events', async () => {
    const info = await jsm.streams.info(streams.events);
    return info.state.messages >= before.size ? true : undefined;
  });
  await runOnce('after-the-loss', 2);
  const reread = new Set<string>();
  for await (const { id } of millrace.log.bus.readEvents({ since: 'all', follow: false })) reread.add(id);
  expect([...before].filter((id) => !reread.has(id))).toEqual([]);
  console.log(
    `users: ${before.size} events before the stream was deleted, all of them found after; 2 runs with each effect once`,
  );
});
