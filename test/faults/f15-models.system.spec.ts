import { asMillraceError, httpStatusOf } from '@millrace/errors';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { followToEnd, followToPause, modelVersionOf } from '../support/runs.ts';
import { eventually } from '../support/wait.ts';
import { submitCustomModel } from './support/custom-model.ts';
import { usualLimits } from './support/resources.ts';
import { Trial, testSeed } from './support/trial.ts';

const name = 'brittle';
const modelTimeoutMs = 2_000;
/** Requests at once to a model that hangs; more than any pool of connections that it could share with others. */
const crowd = 100;

/** What a row of this distance does to the model that is asked about it. */
const faults = {
  throws: { distance: 1, code: `throw new Error('broken on purpose');` },
  'exits its process': { distance: 2, code: 'process.exit(3);' },
  hangs: { distance: 3, code: 'for (;;);' },
  'eats all memory': {
    distance: 4,
    code: 'const kept = []; for (;;) kept.push(Array.from({ length: 1e5 }, () => ({ a: 1 })));',
  },
  'answers NaN': { distance: 5, code: 'return Number.NaN;' },
  'answers text': { distance: 6, code: `return 'soon';` },
  'answers nothing': { distance: 7, code: 'return undefined;' },
  'kills itself': { distance: 8, code: `process.kill(process.pid, 'SIGKILL');` },
} as const;

const sick = Object.values(faults)
  .map(({ distance, code }) => `if (distance === ${distance}) { ${code} }`)
  .join(' ');

let trial: Trial;
let example: Readonly<Record<string, unknown>>;
const tried = { requests: 0, refused: 0 };

beforeAll(async () => {
  trial = await Trial.start({
    fault: 'F15',
    title: 'models that fail',
    seed: testSeed,
    separate: false,
    // Connections of the crowd stay open a while, at both ends and within.
    limits: { ...usualLimits, moreFiles: usualLimits.moreFiles + 3 * crowd },
    env: { MILLRACE_MODEL_TIMEOUT_MS: String(modelTimeoutMs), MILLRACE_MODEL_MEMORY_MB: '96' },
  });
  await deployVersion(`${sick} return 11;`, 1);
  const { millrace } = trial;
  const { modelVersion } = await millrace.client.registry.getModelVersion({ model: name, version: 1 });
  example = modelVersion?.inputExample[0] ?? {};
});

afterAll(() => trial?.stop());

/** A version of the model through a whole run; its candidate stays one where the policy wants that. */
const deployVersion = async (answer: string, version: number, deploy?: string): Promise<void> => {
  const { millrace } = trial;
  const model = { name, seed: testSeed + version, answer, ...(deploy === undefined ? {} : { deploy }) };
  const id = await submitCustomModel(trial, model, `${name}-${version}`);
  const paused = await followToPause(millrace, id, 120_000);
  if (paused.state === 'RUN_STATE_WAITING') {
    await millrace.client.registry.approveModelVersion({ ...modelVersionOf(paused) });
  }
  const run = await followToEnd(millrace, id, 120_000);
  expect(run.state).toBe('RUN_STATE_SUCCEEDED');
  expect(modelVersionOf(run)).toEqual({ model: name, version });
};

/** Status and what was said; 200 with the answer. */
const ask = async (distance: number): Promise<{ status: number; said: unknown }> => {
  tried.requests += 1;
  try {
    const answer = (await trial.millrace.client.invoke(name, {
      dataframe_records: [{ ...example, distance }],
    })) as { predictions: readonly number[] };
    return { status: 200, said: answer.predictions[0] };
  } catch (thrown) {
    tried.refused += 1;
    const error = asMillraceError(thrown);
    return { status: httpStatusOf(error.code), said: error.message };
  }
};

test.each(Object.entries(faults))(
  'a model that %s is an error, and answers the next',
  async (what, fault) => {
    trial.inject(`the model ${what}`);
    await trial.during(async () => {
      const { status, said } = await ask(fault.distance);
      expect(status, String(said)).toBeGreaterThanOrEqual(500);
      expect(said).not.toBe('');
      expect(await ask(1_000)).toEqual({ status: 200, said: 11 });
      expect(await trial.predict()).toMatchObject({ revision: 1 });
    });
    trial.heal(`the model ${what} no more`);
    await trial.recover();
  },
);

test('a crowd before a model that hangs is told so, and keeps nobody from another model', async () => {
  trial.inject(`${crowd} requests at a model that hangs`);
  const waiting = Promise.all(Array.from({ length: crowd }, () => ask(faults.hangs.distance)));
  // Asked while the crowd stands in line.
  expect(await trial.predict()).toMatchObject({ revision: 1 });
  const told = await waiting;
  expect(told.filter(({ status }) => status < 500)).toEqual([]);
  expect(new Set(told.map(({ said }) => String(said)))).toContain(
    'the model did not end an earlier call in time',
  );
  trial.heal('nobody waits any more');
  expect(await ask(1_000)).toEqual({ status: 200, said: 11 });
  await trial.recover();
});

test('a candidate that fails as often as its policy allows is taken out, and the last good one goes on', async () => {
  const { client } = trial.millrace;
  await deployVersion(
    `if (distance === 2000) throw new Error('only now'); return 22;`,
    2,
    '    strategy: canary\n    canary_steps: [50]',
  );
  trial.inject('the candidate fails under real requests');
  await eventually('the rollback', async () => {
    await ask(2_000);
    const { endpoint } = await client.deployment.getEndpoint({ name });
    expect(endpoint?.rollout?.state).toBe('ROLLOUT_STATE_ROLLED_BACK');
    expect(endpoint?.traffic).toEqual([{ revision: 1, percent: 100, shadow: false }]);
  });
  trial.heal('rolled back');
  for (let request = 0; request < 5; request += 1) {
    expect(await ask(2_000)).toEqual({ status: 200, said: 11 });
  }
  await trial.recover();
});

test('nothing else was harmed', async () => {
  await trial.check();
  console.log(
    `F15: ${tried.requests} predictions asked of the failing model, ${tried.refused} answered with an error`,
  );
});
