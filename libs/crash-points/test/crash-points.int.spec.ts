import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-crash-points-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const flag = { MILLRACE_TEST_FAULTS: '1' };

/** Passes `before-commit` and `mid-handling` (of another alias each time) three times and `after-commit` once, as a process of the service `registry`. */
const pass = (env: Record<string, string>) => {
  const { signal, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'passer.ts')], {
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8',
  });
  return { signal, passed: stdout.trim().split('\n').join(' '), stderr };
};
const all = '1 2 3 end';

test('without the flag nothing is honoured', () => {
  expect(pass({ MILLRACE_CRASH_AT: 'registry:before-commit' })).toMatchObject({ signal: null, passed: all });
});

test('the process ends as killed at the point, at its first or n-th pass', () => {
  expect(pass({ ...flag, MILLRACE_CRASH_AT: 'registry:before-commit' })).toMatchObject({
    signal: 'SIGKILL',
    passed: '',
  });
  expect(pass({ ...flag, MILLRACE_CRASH_AT: 'registry:before-commit:3' })).toMatchObject({
    signal: 'SIGKILL',
    passed: '1 2',
  });
});

test('the process ends at the events of an entity alone', () => {
  const at = (entity: string) => pass({ ...flag, MILLRACE_CRASH_AT: `registry:mid-handling@${entity}` });
  expect(at('registry.alias/flights@2')).toMatchObject({ signal: 'SIGKILL', passed: '1' });
  expect(at('registry.alias/flights')).toMatchObject({ signal: null, passed: all });
});

test('another service, a point that is not passed and a pass that never comes leave it alone', () => {
  for (const at of ['pipeline:before-commit', 'registry:mid-load', 'registry:before-commit:4']) {
    expect(pass({ ...flag, MILLRACE_CRASH_AT: at })).toMatchObject({ signal: null, passed: all });
  }
});

test('a file asks for one crash', () => {
  const file = join(folder, 'crash-at');
  const env = { ...flag, MILLRACE_CRASH_AT: `file:${file}` };
  expect(pass(env).signal).toBe(null);
  writeFileSync(file, 'registry:before-commit:2');
  expect(pass(env)).toMatchObject({ signal: 'SIGKILL', passed: '1' });
  expect(existsSync(file)).toBe(false);
  expect(pass(env)).toMatchObject({ signal: null, passed: all });
});

test('points that are passed are listed once each', () => {
  const log = join(folder, 'points.log');
  pass({ ...flag, MILLRACE_CRASH_LOG: log });
  expect(readFileSync(log, 'utf8')).toBe(
    'registry:before-commit\nregistry:mid-handling\nregistry:after-commit\n',
  );
});

test('what names no point is refused', () => {
  for (const at of ['registry', 'registry:nowhere', 'registry:before-commit:0', ':before-commit']) {
    expect(pass({ ...flag, MILLRACE_CRASH_AT: at }).stderr).toContain(
      'is not <service>:<point>[:n][@<entity>]',
    );
  }
});
