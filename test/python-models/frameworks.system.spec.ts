import { Invalid } from '@millrace/errors';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { TestInstallation } from '../support/installation.ts';
import { type Import, ModelUser } from './imported-model.ts';
import { StockMlflow } from './stock-mlflow.ts';

/**
 * Models of frameworks whose packages are large, the same way as those of `imported-models`. They are tried where
 * `MILLRACE_TEST_FRAMEWORKS` names them, and reported as skipped elsewhere.
 */

interface Framework {
  readonly requirements: readonly string[];
  readonly models: readonly Import[];
}

const mlflow = ['mlflow-skinny==3.17.2', 'pandas'];
const threeClasses = ['--task', 'classification', '--classes', 'low,middle,high'];

const frameworks: Readonly<Record<string, Framework>> = {
  pytorch: {
    requirements: [...mlflow, 'torch>=2.4'],
    models: [
      { name: 'pytorch', shown: /python_function pytorch/, tolerance: 1e-6 },
      { name: 'pytorch_pickle', shown: /pytorch \(pickle: (clean|unknown)\)/, tolerance: 1e-6 },
    ],
  },
  tensorflow: {
    requirements: [...mlflow, 'tensorflow-cpu'],
    models: [
      { name: 'tensorflow', options: threeClasses, shown: /python_function tensorflow/, tolerance: 1e-6 },
    ],
  },
};

const wanted = (process.env.MILLRACE_TEST_FRAMEWORKS ?? '').split(',').filter((name) => name !== '');
const unknown = wanted.find((name) => frameworks[name] === undefined);
if (unknown !== undefined) {
  throw Invalid.field(
    'MILLRACE_TEST_FRAMEWORKS',
    `has ${unknown}; there are ${Object.keys(frameworks).join(', ')}`,
  );
}

/** Downloads of gigabytes, the first time on a machine. */
const buildTimeoutMs = 3_600_000;

describe.each(Object.entries(frameworks))('%s', (framework, { requirements, models }) => {
  describe.runIf(wanted.includes(framework))(`with MILLRACE_TEST_FRAMEWORKS=${framework}`, () => {
    let stock: StockMlflow;
    let millrace: TestInstallation;
    let user: ModelUser;

    beforeAll(async () => {
      stock = await StockMlflow.open(requirements);
      await stock.save(
        models.map(({ name }) => name),
        requirements,
      );
      millrace = await TestInstallation.start({ separate: false });
      user = new ModelUser(millrace, stock);
    }, buildTimeoutMs);

    afterAll(async () => {
      await millrace?.stop();
      await stock?.close();
    });

    test.each(models)(
      '($name) is imported, served as MLflow predicts, and exported for MLflow',
      async (model) => {
        const worst = await user.bringsIn(model);
        console.log(`${model.name}: worst difference to stock MLflow ${worst}, tolerance ${model.tolerance}`);
      },
      buildTimeoutMs,
    );
  });
});
