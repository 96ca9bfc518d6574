import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const execute = promisify(execFile);

let copy: string;

/** Runs a program in the copy, with what is installed there; resolves with what it printed. */
const run = async (program: string, ...args: string[]): Promise<string> => {
  const env = { ...process.env, PATH: `${join(copy, 'node_modules/.bin')}:${process.env.PATH}` };
  const { stdout, stderr } = await execute(program, args, { cwd: copy, env, maxBuffer: 1 << 26 }).catch(
    (failed: Error & { stdout?: string; stderr?: string }) => {
      throw new Error(`${program} ${args.join(' ')}: ${failed.stdout}${failed.stderr}`);
    },
  );
  return `${stdout}${stderr}`;
};

/** The installed packages, with the workspace's own pointing into the copy. */
const linkPackages = async (): Promise<void> => {
  for (const group of ['libs', 'services']) {
    for (const name of await readdir(join(root, group))) {
      const own = join(group, name, 'node_modules');
      if (existsSync(join(root, own))) await symlink(join(root, own), join(copy, own));
    }
  }
  const installed = join(root, 'node_modules');
  await mkdir(join(copy, 'node_modules/@millrace'), { recursive: true });
  for (const name of await readdir(installed)) {
    if (name !== '@millrace') await symlink(join(installed, name), join(copy, 'node_modules', name));
  }
  for (const name of await readdir(join(installed, '@millrace'))) {
    const target = await readlink(join(installed, '@millrace', name));
    await symlink(target, join(copy, 'node_modules/@millrace', name));
  }
};

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'millrace-new-service-'));
  const { stdout } = await execute('git', ['ls-files', '-co', '--exclude-standard'], {
    cwd: root,
    maxBuffer: 1 << 26,
  });
  for (const file of stdout.split('\n').filter((line) => line !== '')) {
    await mkdir(dirname(join(copy, file)), { recursive: true });
    await cp(join(root, file), join(copy, file), { force: true }).catch(() => {});
  }
  await linkPackages();
  await run('node', 'scripts/new-service.ts', 'catalog', 'entry', 'entries');
  await symlink('../../services/catalog', join(copy, 'node_modules/@millrace/catalog'));
});
afterAll(() => rm(copy, { recursive: true, force: true }));

test.each([
  ['compiles', 'tsc', '-p', '.'],
  ['keeps the boundaries', 'node', 'scripts/check-boundaries.ts'],
  ['is formatted', 'biome', 'check', '--error-on-warnings', 'services/catalog', 'libs/service-kit/src'],
  ['has contracts that pass the lint', 'buf', 'lint'],
  ['breaks no contract', 'buf', 'breaking', '--against', 'proto/released.binpb'],
])('a generated service %s', async (_, program, ...args) => {
  await run(program, ...args);
});

test('a generated service is tested and traced, and nobody forgot it', async () => {
  const printed = await run('vitest', 'run', 'services/catalog', 'test/ownership');
  expect(printed).toMatch(/Test Files .*passed/);
});

test('a name that is taken or is none is refused, and nothing is written', async () => {
  await expect(run('node', 'scripts/new-service.ts', 'registry', 'entry')).rejects.toThrow('already');
  await expect(run('node', 'scripts/new-service.ts', '../x', 'entry')).rejects.toThrow('is not a name');
});
