import { expect, it } from 'vitest';
import { runPytest } from './pytest.ts';

const requirements = ['torch>=2.5', 'skl2onnx', 'onnxruntime', 'onnxscript', 'pyyaml', 'pytest'];
/** PyTorch is some gigabytes, the first time on a machine. */
const timeoutMs = 3_600_000;
const isWanted = (process.env.MILLRACE_TEST_FRAMEWORKS ?? '').split(',').includes('pytorch');

it.runIf(isWanted)(
  'the ONNX form of networks in PyTorch passes its own tests (MILLRACE_TEST_FRAMEWORKS=pytorch)',
  async () => {
    const { output, code } = await runPytest(requirements, ['recipes/test_onnx_networks.py']);
    expect(output).toMatch(/3 passed/);
    expect(code, output).toBe(0);
  },
  timeoutMs,
);
