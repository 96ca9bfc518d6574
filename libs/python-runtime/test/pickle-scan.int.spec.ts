import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

// The scan needs nothing but the standard library, so any Python will do.
it('the pickle scan passes its own tests', () => {
  const { status, stderr } = spawnSync('python3', ['-B', '-m', 'unittest', 'tests/test_pickle_scan.py'], {
    cwd: fileURLToPath(new URL('../python', import.meta.url)),
    encoding: 'utf8',
  });
  expect(stderr).toMatch(/Ran \d+ tests/);
  expect(status, stderr).toBe(0);
});
