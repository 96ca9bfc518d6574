import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestBroker, testBroker } from '@millrace/broker';
import { isAlive } from '@millrace/installation';
import { createRandom } from '@millrace/random';
import { afterEach, test } from 'vitest';
import { pause } from '../support/wait.ts';
import { lockStore } from './support/lock-store.ts';
import { NatsProxy } from './support/nats-proxy.ts';
import { describeFault, type Period, type PlannedFault, planMix } from './support/nemesis.ts';
import { Trial } from './support/trial.ts';

/** Each lasts until its run and its faults are over; on a free machine about five seconds. */
const shortPeriods = 5;
const corpusPeriods = 2;
const minutes = Number(process.env.MILLRACE_MIX_MINUTES ?? 0);
const minuteMs = 60_000;
/** A long mix tries something new each time, unless it is told what. */
const seed = Number(process.env.MILLRACE_TEST_SEED ?? (minutes > 0 ? randomInt(2 ** 31) : 20130102));
/** Seeds that once found something: their periods come first. */
const corpus = JSON.parse(
  readFileSync(join(import.meta.dirname, 'failing-seeds.json'), 'utf8'),
) as readonly number[];

let broker: TestBroker | undefined;
let proxy: NatsProxy | undefined;
let trial: Trial | undefined;

afterEach(async () => {
  await trial?.stop();
  proxy?.close();
  await broker?.stop();
});

/** Everything that the faults are done to. */
interface Scene {
  readonly trial: Trial;
  readonly broker: TestBroker;
  readonly proxy: NatsProxy;
}

const setScene = async (title: string, own: number): Promise<Scene> => {
  broker = await testBroker();
  proxy = await NatsProxy.start(broker.url);
  trial = await Trial.start({ fault: 'mix', title, seed: own, natsUrl: proxy.url });
  return { trial, broker, proxy };
};

const paused = async (pid: number, ms: number): Promise<void> => {
  if (!isAlive(pid)) return;
  process.kill(pid, 'SIGSTOP');
  await pause(ms);
  if (isAlive(pid)) process.kill(pid, 'SIGCONT');
};

const inject = async (scene: Scene, fault: PlannedFault, own: number): Promise<void> => {
  const { kind, service, at, lasts } = fault;
  await pause(at);
  scene.trial.inject(describeFault(fault));
  const { millrace } = scene.trial;
  const random = createRandom(own).derive(`${kind} ${at}`);
  switch (kind) {
    case 'kill service':
      return scene.trial.kill(service);
    case 'pause service':
      return paused((await millrace.state()).pids[service] ?? 0, lasts);
    case 'kill broker':
      await scene.broker.kill();
      await pause(lasts);
      return scene.broker.start();
    case 'pause broker':
      return paused(scene.broker.server.pid, lasts);
    case 'lock store': {
      const release = lockStore(millrace.dataDir, service);
      await pause(lasts);
      return release();
    }
    case 'repeat events':
      scene.proxy.tamper(() =>
        random.uniform() < 0.5 ? { kind: 'repeat', afterMs: random.uniform() * 500 } : { kind: 'pass' },
      );
      return pause(lasts);
    case 'delay events':
      scene.proxy.tamper(() => ({ kind: 'delay', ms: random.uniform() * 500 }));
      return pause(lasts);
  }
};

/** One after the other of those that would undo each other: what is killed cannot be paused. */
const injectAll = async (scene: Scene, period: Period, own: number): Promise<void> => {
  const ofBroker = period.filter(({ kind }) => kind.endsWith('broker'));
  const ofEvents = period.filter(({ kind }) => kind.endsWith('events'));
  const ofServices = period.filter((fault) => !ofBroker.includes(fault) && !ofEvents.includes(fault));
  const inTurn = async (faults: Period) => {
    for (const fault of faults) await inject(scene, fault, own);
  };
  await Promise.all([inTurn(ofBroker), inTurn(ofEvents), inTurn(ofServices)]);
  scene.proxy.tamper(undefined);
};

/** A run is submitted in each period; all of them must come to their end once everything is healed. */
const play = async (scene: Scene, own: number, period: Period): Promise<void> => {
  console.log(`seed ${own}: ${period.map(describeFault).join(', ') || 'quiet'}`);
  await scene.trial.during(async () => {
    const submitting = scene.trial.submit();
    submitting.catch(() => {});
    await injectAll(scene, period, own);
    await scene.trial.approve(await submitting);
  });
};

test('a shifting mix of faults loses, doubles and breaks nothing', {
  timeout: 300_000 + 2 * minutes * minuteMs,
}, async () => {
  console.log(`mix: seed ${seed}; the same again: npm run faults -- --mix ${minutes} --seed ${seed}`);
  const scene = await setScene(minutes > 0 ? `${minutes} minutes` : `${shortPeriods} periods`, seed);
  for (const own of corpus) {
    for (const period of planMix(own, corpusPeriods)) await play(scene, own, period);
  }
  const deadline = performance.now() + minutes * minuteMs;
  for (let i = 0; minutes > 0 ? performance.now() < deadline : i < shortPeriods; i += 1) {
    await play(scene, seed, planMix(seed, i + 1)[i] ?? []);
  }
  scene.trial.heal('everything');
  await scene.trial.recover();
  await scene.trial.check({ reorderedEvents: true });
});
