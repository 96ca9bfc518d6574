/**
 * `npm run faults`: the fault tests, without the selection that keeps them short elsewhere.
 *
 *   npm run faults                       all faults, as `npm test` runs them
 *   npm run faults -- --all              every crash point of every service, every kill, every step
 *   npm run faults -- --mix 10           a shifting mix for 10 minutes, of a new seed that it prints
 *   npm run faults -- --seed 7 f08       one file with another seed
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    all: { type: 'boolean', default: false },
    mix: { type: 'string' },
    seed: { type: 'string' },
  },
});
const files = values.mix === undefined ? positionals : ['mix', ...positionals];
const { status } = spawnSync(
  'vitest',
  ['run', ...(files.length === 0 ? ['test/faults'] : files.map((file) => join('test', 'faults', file)))],
  {
    cwd: join(import.meta.dirname, '..'),
    stdio: 'inherit',
    env: {
      ...process.env,
      ...(values.all ? { MILLRACE_FAULTS: 'all', MILLRACE_KILL_MATRIX: 'full' } : {}),
      ...(values.mix === undefined ? {} : { MILLRACE_MIX_MINUTES: values.mix }),
      ...(values.seed === undefined ? {} : { MILLRACE_TEST_SEED: values.seed }),
    },
  },
);
process.exitCode = status ?? 1;
