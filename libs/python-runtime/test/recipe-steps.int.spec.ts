import { expect, it } from 'vitest';
import { buildTimeoutMs } from './environment.ts';
import { runPytest } from './pytest.ts';

/** What the step logic is held against, and a project that names MLflow as old ones do. */
const requirements = [
  'mlflow>=2.0',
  'hyperopt',
  'flaml[automl]',
  'skl2onnx',
  'onnxmltools',
  'onnxruntime',
  'lightgbm',
  'xgboost-cpu; python_version < "3.13"',
  'xgboost; python_version >= "3.13"',
  'pyyaml',
  'pytest',
];

it(
  'the logic of recipe steps passes its own tests',
  async () => {
    const { output, code } = await runPytest(requirements, ['recipes']);
    expect(output).toMatch(/\d+ passed/);
    expect(code, output).toBe(0);
  },
  buildTimeoutMs,
);
