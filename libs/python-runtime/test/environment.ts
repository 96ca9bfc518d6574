import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { identityOf } from '@millrace/jobs';
import { type PythonEnvironment, PythonEnvironments, pythonLibrary } from '../src/index.ts';

/** Time that the first build on a machine may take. */
export const buildTimeoutMs = 10 * 60_000;

export const testRequirements = ['opentelemetry-sdk', 'pytest'];

/** One small environment for all specs, built once per machine. */
export const testEnvironment = (): Promise<PythonEnvironment> =>
  PythonEnvironments.open().ensure({ requirements: testRequirements, needs: [] });

/** Adds the jobs of `test/python` to those that a worker knows. */
export const testJobs = {
  PYTHONPATH: [fileURLToPath(new URL('python', import.meta.url)), pythonLibrary].join(delimiter),
};

/** A directory with these files, as a project's root. */
export const projectOf = async (files: Readonly<Record<string, string>>): Promise<string> => {
  const root = await mkdtemp(join(tmpdir(), 'millrace-test-project-'));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
};

export const removeProject = (root: string): Promise<void> => rm(root, { recursive: true, force: true });

/** Resolves when the processes are gone; the test's own time limit is the limit. */
export const gone = async (pids: readonly number[]): Promise<void> => {
  for (const pid of pids) while (identityOf(pid) !== undefined) await delay(20);
};
