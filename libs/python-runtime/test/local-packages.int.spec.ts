import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toolEnvironment } from '../src/environments/command.ts';
import { findInterpreter } from '../src/environments/interpreter.ts';
import { pipInstaller } from '../src/environments/pip-installer.ts';
import { environmentSpecOf, PythonEnvironments, projectFilesIn } from '../src/index.ts';
import { buildTimeoutMs } from './environment.ts';

const run = promisify(execFile);
let scratch: string;
let environments: PythonEnvironments;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'millrace-test-local-'));
  environments = PythonEnvironments.open({ directory: join(scratch, 'environments') });
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const metadata = (requires: string, backend = 'setuptools.build_meta'): string =>
  [
    '[build-system]',
    'requires = ["setuptools>=64"]',
    `build-backend = "${backend}"`,
    '[project]',
    'name = "house-prices"',
    'version = "1.0"',
    `dependencies = [${requires}]`,
    '[project.optional-dependencies]',
    'tables = ["tabulate==0.9.0"]',
    '[tool.setuptools]',
    'py-modules = ["prices"]',
  ].join('\n');

const files = {
  'requirements.txt': 'six==1.17.0\n./libs/prices[tables]\n',
  'libs/prices/pyproject.toml': metadata('"six"'),
  'libs/prices/prices.py': 'import six, tabulate\n\ndef price():\n    return 100\n',
};

const project = async (changed: Readonly<Record<string, string>> = {}): Promise<string> => {
  const root = await mkdtemp(join(scratch, 'project-'));
  for (const [path, text] of Object.entries({ ...files, ...changed })) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
};

const specIn = (projectRoot: string) => ({
  ...environmentSpecOf(projectFilesIn(projectRoot), []),
  projectRoot,
});
const priceIn = async (python: string): Promise<string> =>
  (await run(python, ['-I', '-c', 'import prices; print(prices.price())'])).stdout.trim();

describe("a package of the project's own", () => {
  it(
    'is built, installed with what it requires, and known by its content',
    async () => {
      const root = await project();
      const environment = await environments.ensure(specIn(root));
      expect(await priceIn(environment.python)).toBe('100');
      expect(environment.packages).toMatchObject({ 'house-prices': '1.0', six: '1.17.0', tabulate: '0.9.0' });
      expect(environment.lock.split('\n')).toContain('wheels/house_prices-1.0-py3-none-any.whl');
      expect(environment.lock).not.toContain(root);
      expect([...projectFilesIn(root).listFiles()].sort()).toEqual(Object.keys(files).sort());

      const elsewhere = await environments.ensure(specIn(await project({ 'recipe.yaml': 'another' })));
      expect(elsewhere).toEqual(environment);
      const changed = { 'libs/prices/prices.py': 'def price():\n    return 200\n' };
      const other = await environments.ensure(specIn(await project(changed)));
      expect(other.key).not.toBe(environment.key);
      expect(other.lock).toBe(environment.lock);
      expect(await priceIn(other.python)).toBe('200');
    },
    buildTimeoutMs,
  );

  it(
    'comes back from what was recorded, where the project is not',
    async () => {
      const { key, lock, wheels, pythonVersion } = await environments.ensure(specIn(await project()));
      const recorded = await Promise.all(
        wheels.map(async (path) => [basename(path), await readFile(path, 'base64')]),
      );
      const elsewhere = PythonEnvironments.open({ directory: join(scratch, 'another-machine') });
      const environment = await elsewhere.ensure({
        python: pythonVersion,
        requirements: [],
        needs: [],
        lock,
        wheels: Object.fromEntries(recorded),
      });
      expect(environment).toMatchObject({ key, lock });
      expect(await priceIn(environment.python)).toBe('100');
    },
    buildTimeoutMs,
  );

  it(
    'is the same when pip builds it, where there is no uv',
    async () => {
      const root = await project();
      const { wheels } = await environments.ensure(specIn(root));
      const request = {
        interpreter: await findInterpreter(undefined),
        source: join(root, 'libs/prices'),
        options: [],
        target: join(scratch, 'by-pip'),
        directory: root,
      };
      const env = { ...toolEnvironment(), SOURCE_DATE_EPOCH: '315532800' };
      expect(await pipInstaller.buildWheel(request, { env })).toBeUndefined();
      const contents = [wheels[0] ?? '', join(request.target, 'house_prices-1.0-py3-none-any.whl')].map(
        async (path) => (await run('python3', ['-m', 'zipfile', '-l', path])).stdout,
      );
      const [byUv, byPip] = await Promise.all(contents);
      expect(byPip).toBe(byUv);
    },
    buildTimeoutMs,
  );

  it('is refused when a link leads out of the project', async () => {
    const root = await project();
    const secret = join(scratch, 'secret.txt');
    await writeFile(secret, 'not for you');
    await symlink(secret, join(root, 'libs/prices/secret.txt'));
    await expect(environments.ensure(specIn(root))).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('libs/prices/secret.txt lies outside the project'),
    });
  });

  it.each([
    [
      'cannot be built',
      metadata('', 'no_such_backend'),
      /^requirements\.txt:2: libs\/prices could not be built: .*no_such_backend/,
    ],
    [
      'requires another by its path',
      metadata('"other @ file:///opt/other"'),
      /^requirements\.txt:2: house-prices requires another package by its path: other ?@ file:\/\/\/opt\/other/,
    ],
    [
      'contradicts the other requirements',
      metadata('"six<1.17"'),
      /^requirements\.txt:[12]: .*house-prices.*six<1\.17/,
    ],
  ])(
    'that %s is told with file and line',
    async (_, text, message) => {
      const root = await project({ 'libs/prices/pyproject.toml': text });
      const problem = environments.ensure(specIn(root));
      await expect(problem).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringMatching(message),
      });
      await expect(problem).rejects.not.toMatchObject({ hint: expect.stringContaining(tmpdir()) });
    },
    buildTimeoutMs,
  );
});
