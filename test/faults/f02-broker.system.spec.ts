import { afterEach, expect, test } from 'vitest';
import { until } from '../support/wait.ts';
import { Trial, testSeed } from './support/trial.ts';

let trial: Trial | undefined;
afterEach(() => trial?.stop());

test('a broker that is killed with work in flight loses nothing', async () => {
  trial = await Trial.start({ fault: 'F2', title: 'broker killed', seed: testSeed });
  const { millrace } = trial;
  await trial.during(async () => {
    await trial?.run(async () => {
      const { broker } = await millrace.pids();
      if (broker === undefined) throw new Error('no broker runs');
      trial?.inject('kill -9 broker');
      process.kill(broker, 'SIGKILL');
      await until('the broker', async () => ((await millrace.pids()).broker !== broker ? true : undefined));
    });
  });
  expect(await trial.recover()).toBeGreaterThan(0);
  await trial.check();
});
