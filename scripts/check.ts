/**
 * `npm run check`: everything that can be said of the sources without running them. Each check runs even when an
 * earlier one failed, so that one run shows everything.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

interface Check {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

const checks: readonly Check[] = [
  { name: 'types', command: ['tsc', '-p', '.'] },
  { name: 'lint and format', command: ['biome', 'check', '--error-on-warnings', '.'] },
  { name: 'module boundaries and import cycles', command: ['node', 'scripts/check-boundaries.ts'] },
  { name: 'contracts: lint', command: ['buf', 'lint'] },
  { name: 'contracts: breaking changes', command: ['buf', 'breaking', '--against', 'proto/released.binpb'] },
  { name: 'contracts: generated code is current', command: ['node', 'scripts/check-generated.ts'] },
];

let failed = 0;
for (const { name, command } of checks) {
  const started = performance.now();
  const [program, ...args] = command;
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: root, encoding: 'utf8' });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`${status === 0 ? 'ok    ' : 'FAILED'}  ${name} (${seconds} s)\n`);
  if (status !== 0) {
    failed += 1;
    process.stdout.write(`${stdout ?? ''}${stderr ?? ''}\n`);
  }
}
process.stdout.write(`checks: ${checks.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
