import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findInterpreter } from '../src/environments/interpreter.ts';
import { locateInstaller } from '../src/environments/locate-installer.ts';
import { resolveSpec } from '../src/environments/resolve.ts';
import { type EnvironmentSpec, PythonEnvironments, pythonLibrary } from '../src/index.ts';
import { buildTimeoutMs, testRequirements } from './environment.ts';
import { runPytest } from './pytest.ts';

const run = promisify(execFile);
let directory: string;
let environments: PythonEnvironments;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-test-environments-'));
  environments = PythonEnvironments.open({ directory });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Requirements as if they were the lines of a requirements.txt. */
const specOf = (requirements: readonly string[], more: Partial<EnvironmentSpec> = {}): EnvironmentSpec => ({
  requirements,
  places: requirements.map((_line, index) => `requirements.txt:${index + 1}`),
  source: 'requirements.txt',
  needs: [],
  ...more,
});

const builder = (spec: EnvironmentSpec) =>
  spawn(
    process.execPath,
    [fileURLToPath(new URL('builder.ts', import.meta.url)), directory, JSON.stringify(spec)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );

const outputOf = async (child: ReturnType<typeof builder>): Promise<string[]> => {
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  await once(child, 'close');
  return text.trim().split('\n');
};

describe('an environment', () => {
  it(
    'is built by one of the processes that ask for it, and then found by all',
    async () => {
      const spec = specOf(['tabulate==0.9.0']);
      const outputs = await Promise.all([builder(spec), builder(spec), builder(spec)].map(outputOf));
      const keys = new Set(outputs.map((lines) => lines.at(-1)));
      expect(keys.size).toBe(1);
      const builds = outputs.flat().filter((line) => /^installing \d+ packages$/.test(line));
      expect(builds).toHaveLength(1);

      const lines: string[] = [];
      const found = await environments.ensure(spec, { onProgress: (line) => lines.push(line) });
      expect(lines).toEqual([]);
      expect(`key ${found.key}`).toBe(outputs[0]?.at(-1));
      expect(found.packages).toMatchObject({ tabulate: '0.9.0', pandas: '2.3.3', 'scikit-learn': '1.5.2' });
      expect(found.lock.split('\n')).toContain('tabulate==0.9.0');
      expect(found.lockDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(await environments.find(found.key)).toEqual(found);
    },
    buildTimeoutMs,
  );

  it('knows its packages, their programs, and Millrace', async () => {
    const { python, pythonVersion } = await environments.ensure(specOf(['tabulate==0.9.0']));
    const code = 'import millrace, sys, tabulate; print(millrace.__path__[0], sys.version.split()[0])';
    const { stdout } = await run(python, ['-c', code]);
    expect(stdout.trim()).toBe(`${join(pythonLibrary, 'millrace')} ${pythonVersion}`);
    await expect(run(join(python, '..', 'tabulate'), ['--help'])).resolves.toBeDefined();
  });

  it('is shared by specs that come to the same packages, such as one with its lock', async () => {
    const first = await environments.ensure(specOf(['tabulate==0.9.0']));
    const lines: string[] = [];
    const again = await environments.ensure(specOf([], { lock: first.lock }), {
      onProgress: (line) => lines.push(line),
    });
    expect(again).toEqual(first);
    expect(lines).toEqual([]);
  });

  it(
    'whose builder was killed is built by the next, and nothing of the first stays',
    async () => {
      const spec = specOf(['tabulate==0.8.10']);
      const child = builder(spec);
      for await (const chunk of child.stdout) if (String(chunk).includes('installing')) break;
      child.kill('SIGKILL');
      await once(child, 'close');
      const { python } = await environments.ensure(spec);
      await expect(run(python, ['-c', 'import tabulate'])).resolves.toBeDefined();
      await environments.prune();
      const left = await readdir(join(directory, 'environments'));
      expect(left.filter((name) => name.startsWith('.'))).toEqual([]);
    },
    buildTimeoutMs,
  );

  it(
    'that nobody has used for long is removed, and comes back with the same packages',
    async () => {
      const spec = specOf(['tabulate==0.8.10']);
      const { key, python, lock } = await environments.ensure(spec);
      const aMonthAgo = new Date(Date.now() - 31 * 24 * 60 * 60_000);
      const marker = join(python, '..', '..', 'millrace-environment.json');
      await utimes(marker, aMonthAgo, aMonthAgo);

      const sleeper = spawn(python, ['-c', 'print(1, flush=True); import time; time.sleep(600)'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(sleeper.stdout, 'data');
      expect((await environments.list()).find((info) => info.key === key)).toMatchObject({ inUse: true });
      expect((await environments.prune()).removed).toEqual([]);
      sleeper.kill('SIGKILL');
      await once(sleeper, 'close');

      const planned = await environments.prune({ dryRun: true });
      expect(planned.removed.map((info) => info.key)).toEqual([key]);
      expect(planned.freedBytes).toBeGreaterThan(1_000_000);
      expect(await environments.prune()).toEqual(planned);
      expect(await readdir(join(directory, 'environments'))).not.toContain(key);
      const lines: string[] = [];
      const back = await environments.ensure(spec, { onProgress: (line) => lines.push(line) });
      expect(back).toMatchObject({ key, lock });
      expect(lines.some((line) => line.startsWith('resolving'))).toBe(false);
    },
    buildTimeoutMs,
  );
});

describe('requirements that cannot be met', () => {
  it('for want of such a package are told with file and line', async () => {
    const problem = environments.ensure(specOf(['tabulate', 'no-such-package-anywhere>=2']));
    await expect(problem).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/^requirements\.txt:2: Because no-such-package-anywhere was not found/),
      hint: expect.stringContaining('no-such-package-anywhere>=2 (requirements.txt:2)'),
    });
  });

  it('as they contradict each other are told with both lines', async () => {
    const problem = environments.ensure(specOf(['tabulate', 'pandas<2', 'pandas>=2.1']));
    await expect(problem).rejects.toMatchObject({
      code: 'invalid',
      violations: [{ path: 'requirements.txt:2' }, { path: 'requirements.txt:3' }],
    });
  });

  it('as the worker needs newer packages are told what it needs', async () => {
    await expect(environments.ensure(specOf(['cloudpickle==1.6.0']))).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/^requirements\.txt:1: /),
      hint: expect.stringContaining('cloudpickle==1.6.0 (requirements.txt:1)'),
    });
  });

  it('leave no environment behind', async () => {
    const before = await environments.list();
    await environments.ensure(specOf(['no-such-package-anywhere'])).catch(() => {});
    expect(await environments.list()).toHaveLength(before.length);
  });
});

it('stops when it is told to', async () => {
  const abort = new AbortController();
  const problem = environments.ensure(specOf(['tabulate<0.8']), {
    signal: abort.signal,
    onProgress: () => abort.abort(),
  });
  await expect(problem).rejects.toMatchObject({ code: 'cancelled' });
});

const resolvedLock = async (spec: EnvironmentSpec): Promise<string[]> => {
  const work = await mkdtemp(join(directory, 'resolve-'));
  const installer = await locateInstaller({ directory, onProgress: () => {} });
  const lock = await resolveSpec(spec, await findInterpreter('>=3.11'), installer, work, {});
  return lock.trim().split('\n');
};

describe('resolution', () => {
  it('lets the tested versions give way to what the project says, and keeps the others', async () => {
    const lock = await resolvedLock(specOf(['numpy>=2']));
    expect(lock).toContain('pandas==2.3.3');
    expect(lock.find((line) => line.startsWith('numpy=='))).toMatch(/^numpy==2\./);
  });

  it('takes an old project that asks for `mlflow>=2.0`', async () => {
    const lock = await resolvedLock(specOf(['mlflow>=2.0'], { needs: ['hyperopt', 'pandas'] }));
    expect(lock).toContain('pandas==2.3.3');
    expect(lock.some((line) => line.startsWith('mlflow=='))).toBe(true);
    expect(lock.some((line) => line.startsWith('hyperopt=='))).toBe(true);
    expect(lock).toEqual([...lock].sort());
  });

  it('obeys constraints and markers', async () => {
    const lock = await resolvedLock(
      specOf(['tabulate', 'six ; python_version < "3"'], { constraints: ['tabulate<0.9'] }),
    );
    expect(lock).toContain('tabulate==0.8.10');
    expect(lock.some((line) => line.startsWith('six'))).toBe(false);
  });
});

describe('hashes that the project states', () => {
  it('are in the lock, and a package that has another is not installed', async () => {
    const wrong = `sha256:${'0'.repeat(64)}`;
    const spec = specOf([`tabulate==0.9.0 --hash=${wrong}`]);
    expect(await resolvedLock(spec)).toContain(`tabulate==0.9.0 --hash=${wrong}`);
    await expect(environments.ensure(spec)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/^requirements\.txt:1: .*[Hh]ash mismatch/),
    });
  });
});

describe('the interpreter', () => {
  it('that is wanted but not there is another one, with a warning', async () => {
    const found = await findInterpreter('3.99');
    expect(found.warning).toContain(
      `Python 3.99 is wanted but not on this machine: Python ${found.version} is used`,
    );
  });

  it('is the one that MILLRACE_PYTHON names', async () => {
    const { path } = await findInterpreter(undefined);
    const env = { PATH: '/nowhere', MILLRACE_PYTHON: path };
    expect(await findInterpreter(undefined, { env })).toMatchObject({ path });
    expect(await findInterpreter('3.99', { env })).toMatchObject({
      path,
      warning: expect.stringContaining('MILLRACE_PYTHON'),
    });
    await expect(
      findInterpreter(undefined, { env: { ...env, MILLRACE_PYTHON: '/nowhere/python' } }),
    ).rejects.toMatchObject({ code: 'invalid' });
  });

  it('is asked for when there is none', async () => {
    const env = { PATH: '/nowhere', HOME: '/nowhere' };
    await expect(findInterpreter(undefined, { env })).rejects.toMatchObject({ code: 'failed_precondition' });
  });
});

it(
  'pip does what uv does, where there is no uv',
  async () => {
    process.env.MILLRACE_UV = 'none';
    try {
      const own = PythonEnvironments.open({ directory: join(directory, 'with-pip') });
      const environment = await own.ensure(specOf(['tabulate==0.9.0']));
      const withUv = await environments.ensure(specOf(['tabulate==0.9.0']));
      expect(environment.packages).toEqual(withUv.packages);
      await expect(own.ensure(specOf(['tabulate<0.8', 'tabulate>0.8.5']))).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringMatching(/^requirements\.txt:1: /),
      });
    } finally {
      delete process.env.MILLRACE_UV;
    }
  },
  buildTimeoutMs,
);

it(
  'the worker’s own tests pass',
  async () => {
    // Those of recipes and of the old names run in environments of their own.
    const { output, code } = await runPytest(testRequirements, ['test_frames.py', 'test_thrown.py']);
    expect(output).toMatch(/\d+ passed/);
    expect(code, output).toBe(0);
  },
  buildTimeoutMs,
);
