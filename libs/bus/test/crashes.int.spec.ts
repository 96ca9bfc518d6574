import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type TestBroker, testBroker } from '@millrace/broker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bus, consumeEvents, listDeadLetters, type Outcome, serveRefill, work } from '../src/index.ts';
import { publishStored } from '../src/publish-stored.ts';
import {
  historyOutbox,
  payloadCodec,
  recorder,
  storedEvent,
  testBus,
  testStore,
  thing,
  until,
} from './fixture.ts';

let broker: TestBroker;
let bus: Bus;
let directory: string;

beforeAll(async () => {
  broker = await testBroker();
  bus = await testBus(broker.url);
  directory = await mkdtemp(join(tmpdir(), 'millrace-crashes-'));
});
afterAll(async () => {
  await bus.drain();
  await broker.stop();
  await rm(directory, { recursive: true, force: true });
});

const run = (file: string, ...args: string[]) =>
  spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', fileURLToPath(new URL(file, import.meta.url)), ...args],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );

describe('a message that ends the process of its handler', () => {
  it('is buried after some crashes, and nothing beside it is', async () => {
    const name = `crash-${randomUUID()}`;
    const poisoned = randomUUID();
    const innocents = Array.from({ length: 20 }, () => randomUUID());
    const file = join(directory, `${name}.db`);
    const events = [1, 2, 3].map((sequence) =>
      storedEvent(
        poisoned,
        sequence,
        sequence === 2 ? { json: JSON.stringify({ value: 2, name: 'poison' }) } : {},
      ),
    );
    const refill = serveRefill({ bus, outbox: historyOutbox(events) });
    for (const event of events) await publishStored(bus, event);
    for (const key of innocents) await publishStored(bus, storedEvent(key, 1));

    let crashes = 0;
    let child = run('crashing-consumer.ts', bus.internals.nc.getServer(), file, name);
    let over = false;
    const respawn = () => {
      crashes += 1;
      if (over) return;
      child = run('crashing-consumer.ts', bus.internals.nc.getServer(), file, name);
      child.once('exit', respawn);
    };
    child.once('exit', respawn);

    const { store, close } = await testStore(file);
    try {
      await until(async () => expect(await store.inbox.position(name, thing(poisoned))).toBe(3), 150_000);
      for (const key of innocents) {
        await until(async () => expect(await store.inbox.position(name, thing(key))).toBe(1));
      }
      const letters = await listDeadLetters(bus, { consumer: name });
      expect(letters).toHaveLength(1);
      expect(letters[0]).toMatchObject({ headers: { 'ce-subject': poisoned, 'ce-sequence': '2' } });
      expect(letters[0]?.reason).toContain('ended the process');
      expect(await store.collection({ name: 'effects' }).count()).toBe(innocents.length + 2);
      expect(crashes).toBeLessThan(12);
    } finally {
      over = true;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
      await refill.stop();
      await close();
    }
  });

  it('is buried by the notice of the broker when its consumer never settles it', async () => {
    const name = `unsettled-${randomUUID()}`;
    const key = randomUUID();
    const { store, close } = await testStore();
    await publishStored(bus, storedEvent(key, 1));
    await publishStored(bus, storedEvent(key, 2));
    // Stands for a process that takes messages and dies each time: it never settles nor extends.
    const { jsm, js } = bus.internals;
    await jsm.consumers.add('EVENTS', {
      durable_name: name,
      filter_subjects: ['millrace.evt.testing.thing.>'],
      ack_policy: 'explicit',
      ack_wait: 100_000_000,
      max_deliver: 2,
    });
    const consumer = await js.consumers.get('EVENTS', name);
    const isFirst = (headers: { get(name: string): string } | undefined) =>
      headers?.get('ce-subject') === key && headers.get('ce-sequence') === '1';
    let deliveries = 0;
    const messages = await consumer.consume();
    for await (const message of messages) {
      if (!isFirst(message.headers)) message.ack();
      else deliveries += 1;
      if (deliveries === 2) break;
    }
    await messages.close();

    const seen = recorder();
    const consuming = consumeEvents(bus, {
      name,
      inbox: store.inbox,
      subscriptions: seen.subscriptions,
      ackWaitMs: 100,
      maxDeliveries: 2,
    });
    await publishStored(bus, storedEvent(key, 3));
    await until(async () => {
      const letters = await listDeadLetters(bus, { consumer: name });
      expect(letters).toMatchObject([{ attempts: 2, headers: { 'ce-subject': key, 'ce-sequence': '1' } }]);
    });
    await until(async () => expect(await store.inbox.position(name, thing(key))).toBeGreaterThanOrEqual(1));
    await consuming.stop();
    await close();
  });
});

describe('a command', () => {
  const send = async (subject: string, value: number) => {
    await bus.internals.js.publish(subject, JSON.stringify({ value, name: '' }));
  };
  const worker = (
    name: string,
    handle: (value: number, delivery: number) => Promise<Outcome> | Outcome,
    more = {},
  ) =>
    work(bus, {
      name,
      subject: `millrace.step.${name}.>`,
      codec: payloadCodec,
      concurrency: 2,
      ackWaitMs: 500,
      handle: async (command, { delivery }) => handle(command.value, delivery),
      ...more,
    });
  const stillQueued = async (name: string) => {
    const info = await bus.internals.jsm.streams.info('STEPS', {
      subjects_filter: `millrace.step.${name}.>`,
    });
    return Object.keys(info.state.subjects ?? {}).length;
  };

  it('of a worker that was killed is delivered to another', async () => {
    const name = `killed-${randomUUID()}`;
    const child = run(
      'stuck-worker.ts',
      bus.internals.nc.getServer(),
      name,
      `millrace.step.${name}.>`,
      '500',
    );
    await send(`millrace.step.${name}.train`, 7);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    expect(line.toString()).toBe('started 7\n');
    const done: [number, number][] = [];
    const second = worker(name, (value, delivery) => {
      done.push([value, delivery]);
      return { kind: 'done' };
    });
    child.kill('SIGKILL');
    await until(() => expect(done).toEqual([[7, 2]]));
    await until(async () => expect(await stillQueued(name)).toBe(0));
    await second.stop();
  });

  it('stays with its worker however long it takes', async () => {
    const name = `long-${randomUUID()}`;
    const finish = Promise.withResolvers<void>();
    let starts = 0;
    const workers = [1, 2].map(() =>
      worker(
        name,
        async () => {
          starts += 1;
          await finish.promise;
          return { kind: 'done' };
        },
        { ackWaitMs: 200 },
      ),
    );
    await send(`millrace.step.${name}.train`, 1);
    await until(() => expect(starts).toBe(1));
    const born = performance.now();
    await until(() => expect(performance.now() - born).toBeGreaterThan(1_000));
    expect((await bus.internals.jsm.consumers.info('STEPS', name)).num_redelivered).toBe(0);
    expect(await stillQueued(name)).toBe(1);
    finish.resolve();
    await until(async () => expect(await stillQueued(name)).toBe(0));
    expect(starts).toBe(1);
    await Promise.all(workers.map((each) => each.stop()));
  });

  it('is taken only by a worker that is free', async () => {
    const name = `free-${randomUUID()}`;
    const finish = Promise.withResolvers<void>();
    const taken: number[] = [];
    const handle = (who: number) => async () => {
      taken.push(who);
      await finish.promise;
      return { kind: 'done' as const };
    };
    const first = worker(name, handle(1), { concurrency: 1 });
    for (const value of [1, 2, 3]) await send(`millrace.step.${name}.s${value}`, value);
    await until(() => expect(taken).toEqual([1]));
    const second = worker(name, handle(2), { concurrency: 2 });
    await until(() => expect(taken).toEqual([1, 2, 2]));
    finish.resolve();
    await until(async () => expect(await stillQueued(name)).toBe(0));
    await Promise.all([first.stop(), second.stop()]);
  });

  it('is retried after a failure and buried when it never succeeds or is rejected', async () => {
    const name = `retried-${randomUUID()}`;
    const attempts: number[] = [];
    const running = worker(
      name,
      (value) => {
        attempts.push(value);
        if (value === 1)
          return {
            kind: attempts.filter((each) => each === 1).length < 3 ? 'retry' : 'done',
            reason: 'not yet',
            delayMs: 1,
          };
        if (value === 2) throw new Error('always');
        return { kind: 'reject', reason: 'never' };
      },
      { maxAttempts: 3 },
    );
    for (const value of [1, 2, 3]) await send(`millrace.step.${name}.s${value}`, value);
    await until(async () => expect(await stillQueued(name)).toBe(0));
    const count = (value: number) => attempts.filter((each) => each === value).length;
    expect([count(1), count(2), count(3)]).toEqual([3, 3, 1]);
    const letters = await listDeadLetters(bus, { consumer: name });
    expect(letters.map(({ reason, attempts }) => [reason, attempts]).sort()).toEqual([
      ['internal: always', 3],
      ['never', 1],
    ]);
    await running.stop();
  });

  it('under way when the worker stops is finished, and a waiting one is left to others', async () => {
    const name = `stopped-${randomUUID()}`;
    const finish = Promise.withResolvers<void>();
    const done: number[] = [];
    const running = worker(
      name,
      async (value) => {
        await finish.promise;
        done.push(value);
        return { kind: 'done' };
      },
      { concurrency: 1 },
    );
    for (const value of [1, 2]) await send(`millrace.step.${name}.s${value}`, value);
    await until(() => expect(bus.status().inFlight).toBe(1));
    const stopped = running.stop();
    finish.resolve();
    await stopped;
    expect(done).toEqual([1]);
    await until(async () => expect(await stillQueued(name)).toBe(1));
  });
});
