#!/usr/bin/env node
/**
 * Runs the command line in this process; on an older Node than the sources need, in a process of the one that the
 * workspace pins.
 *
 * Plain JavaScript, since the first module never comes from the cache of compiled sources: to load what strips types takes
 * longer than most commands do.
 */
// As a whole: Node 20 has no `enableCompileCache`.
import module from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// The first release that runs TypeScript without a warning.
const [major, minor] = process.versions.node.split('.').map(Number);
const runsTypeScript = major > 24 || (major === 24 && minor >= 12);

const pinnedNode = () => {
  try {
    return join(dirname(module.createRequire(import.meta.url).resolve('node/package.json')), 'bin', 'node');
  } catch {
    return undefined;
  }
};

const handOver = async (node) => {
  const { spawn } = await import('node:child_process');
  const flags = ['--disable-warning=ExperimentalWarning', fileURLToPath(import.meta.url)];
  const child = spawn(node, [...flags, ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both; what is sent to this process alone goes on to the one that does the work.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`millrace did not start: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code) => process.exit(code ?? 130));
};

const node = runsTypeScript ? undefined : pinnedNode();
if (node === undefined) {
  // The sources are compiled once per version, not once per command. The cache is the user's own, as the broker's is.
  module.enableCompileCache?.(
    join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'millrace', 'node'),
  );
  await import('../src/main.ts');
} else {
  await handOver(node);
}
