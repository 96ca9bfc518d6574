import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditRecords } from '../support/audit.ts';
import { followToEnd, followToPause, modelVersionOf } from '../support/runs.ts';
import { eventually } from '../support/wait.ts';
import { submitCustomModel } from './support/custom-model.ts';
import { Trial, testSeed } from './support/trial.ts';

const name = 'steady';
const good = 100;
/** A package's input example has fewer rows than any split: a model that looks at them fails where it is served only. */
const whenServed = 'rows <= 10';

/** Candidates that never come up, and what is said of them. */
const neverReady = {
  'throws when it is tested': { code: `if (${whenServed}) throw new Error('not here');`, reason: /not here/ },
  'hangs when it is tested': { code: `if (${whenServed}) for (;;);`, reason: /did not end within/ },
  'answers no number when it is tested': { code: `if (${whenServed}) return Number.NaN;`, reason: /NaN/ },
} as const;

let trial: Trial;
let example: Readonly<Record<string, unknown>>;
let versions = 0;
/** Answers of the endpoint while candidates came and went, by value; `error` for none. */
const answers = new Map<string, number>();

beforeAll(async () => {
  trial = await Trial.start({
    fault: 'F16',
    title: 'bad deployments',
    seed: testSeed,
    separate: false,
    env: { MILLRACE_MODEL_TIMEOUT_MS: '2000' },
  });
  expect(await deployNext(`return ${good};`)).toBe('RUN_STATE_SUCCEEDED');
  const { millrace } = trial;
  const { modelVersion } = await millrace.client.registry.getModelVersion({ model: name, version: 1 });
  example = modelVersion?.inputExample[0] ?? {};
});

afterAll(() => trial?.stop());

/** How the run ended that registers the next version and deploys it. */
const deployNext = async (answer: string, deploy?: string): Promise<string> => {
  const { millrace } = trial;
  versions += 1;
  const model = { name, seed: testSeed + versions, answer, ...(deploy === undefined ? {} : { deploy }) };
  const id = await submitCustomModel(trial, model, `${name}-${versions}`);
  const paused = await followToPause(millrace, id, 120_000);
  if (paused.state === 'RUN_STATE_WAITING') {
    await millrace.client.registry.approveModelVersion({ ...modelVersionOf(paused) });
  }
  const run = await followToEnd(millrace, id, 120_000);
  return run.state;
};

/** Asks the endpoint until `work` is done; every answer counts. */
const whileAsked = async <T>(work: Promise<T>): Promise<T> => {
  let done = false;
  const asking = (async () => {
    while (!done) await ask();
  })();
  try {
    return await work;
  } finally {
    done = true;
    await asking;
  }
};

const ask = async (): Promise<void> => {
  const body = { dataframe_records: [example] };
  const answer = (await trial.millrace.client.invoke(name, body).catch(() => undefined)) as
    | { predictions: readonly number[] }
    | undefined;
  const value = String(answer?.predictions[0] ?? 'error');
  answers.set(value, (answers.get(value) ?? 0) + 1);
};

const expectOnlyTheGoodOne = async (): Promise<void> => {
  const { endpoint } = await trial.millrace.client.deployment.getEndpoint({ name });
  expect(endpoint?.traffic).toEqual([{ revision: 1, percent: 100, shadow: false }]);
};

test.each(Object.entries(neverReady))(
  'a candidate that %s gets no traffic',
  async (what, { code, reason }) => {
    answers.clear();
    trial.inject(`a candidate that ${what}`);
    const state = await whileAsked(trial.during(() => deployNext(`${code} return -1;`)));
    trial.heal('refused');
    expect(state).toBe('RUN_STATE_FAILED');
    expect([...answers.keys()]).toEqual([String(good)]);
    await expectOnlyTheGoodOne();
    const failed = await trial.millrace.log.waitFor(
      'the failure to be told',
      ({ type, data }) =>
        type === 'millrace.deployment.deployment.failed.v1' && reason.test(JSON.stringify(data)),
    );
    expect(failed.key).toContain(name);
    await trial.recover();
  },
);

test('a candidate that is too slow is taken out by itself, and the audit log says why', async () => {
  const slowly = `const until = performance.now() + 150; while (performance.now() < until); return -2;`;
  const deploy =
    '    strategy: canary\n    canary_steps: [50]\n    promotion: automatic\n    min_requests: 200\n    max_latency_p95_ms: 100';
  answers.clear();
  expect(await deployNext(`if (rows > 10) return -2; ${slowly}`, deploy)).toBe('RUN_STATE_SUCCEEDED');
  trial.inject('half of the traffic goes to a slow candidate');
  await whileAsked(
    eventually('the rollback', async () => {
      const { endpoint } = await trial.millrace.client.deployment.getEndpoint({ name });
      expect(endpoint?.rollout?.state).toBe('ROLLOUT_STATE_ROLLED_BACK');
    }),
  );
  trial.heal('rolled back');
  await expectOnlyTheGoodOne();
  answers.clear();
  for (let request = 0; request < 10; request += 1) await ask();
  expect([...answers.keys()]).toEqual([String(good)]);
  const record = await eventually('the audit record', async () => {
    const found = (await auditRecords(trial.millrace.client)).find(
      ({ action, entity }) => action === 'deployment.rolled_back' && entity.includes(name),
    );
    expect(found).toBeDefined();
    return found;
  });
  expect(record?.actor?.reason).toMatch(/p95 latency .* is above 100 ms/);
  await trial.recover();
});

test('one version is live, and it passed its gate', async () => {
  await trial.check();
});
