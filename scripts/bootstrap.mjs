#!/usr/bin/env node
/**
 * Runs a script of this repository on a machine that has only Node 20 or newer: installs the locked dependencies
 * when they are missing or out of date, then hands over to the Node version that the repository pins.
 *
 * Plain JavaScript, because it runs before anything is installed. Usage: node scripts/bootstrap.mjs <script> [...]
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const marker = join(root, 'node_modules', '.millrace-installed');
const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');

const [major] = process.versions.node.split('.').map(Number);
if (major < 20) {
  process.stderr.write(`Millrace needs Node 20 or newer to start; this is ${process.version}.\n`);
  process.exit(1);
}

const installed = existsSync(marker) && readFileSync(marker, 'utf8') === lock;
if (!installed) {
  process.stdout.write('Installing dependencies (once per lock file) …\n');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status } = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    process.stderr.write('npm ci failed: see its message above. Nothing was started.\n');
    process.exit(status ?? 1);
  }
  writeFileSync(marker, lock);
}

const bin = join(root, 'node_modules', '.bin');
const node = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const [script, ...args] = process.argv.slice(2);
const child = spawn(
  existsSync(node) ? node : process.execPath,
  ['--disable-warning=ExperimentalWarning', join(root, script), ...args],
  {
    stdio: 'inherit',
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` },
  },
);
// The terminal sends Ctrl-C to the child as well; this process only waits for it to clean up.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) =>
  process.exit(signal === null ? (code ?? 1) : 128 + (signal === 'SIGINT' ? 2 : 15)),
);
