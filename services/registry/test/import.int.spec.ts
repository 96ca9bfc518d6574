import { execFile } from 'node:child_process';
import { access, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseDigest } from '@millrace/blobs';
import { ImportModelRequest, type ModelImport } from '@millrace/contracts/registry';
import { loadPredictor, manifestOf, type PackageFiles, readPackage } from '@millrace/modeling';
import { PythonEnvironments } from '@millrace/python-runtime';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Platform, startPlatform } from './service-fixture.ts';

const script = fileURLToPath(new URL('models/save_models.py', import.meta.url));
const requirements = [
  'mlflow-skinny==3.17.2',
  'scikit-learn==1.5.2',
  'xgboost-cpu==2.1.4; python_version < "3.13"',
  'xgboost; python_version >= "3.13"',
  'onnx==1.19.1',
  'onnxruntime',
];
const environments = PythonEnvironments.open();
let platform: Platform;
let directory: string;

beforeAll(async () => {
  const environment = await environments.ensure({ requirements, needs: [] });
  directory = await mkdtemp(join(tmpdir(), 'millrace-import-'));
  await promisify(execFile)(environment.python, ['-B', script, directory, ...requirements], {
    cwd: directory,
    env: { HOME: directory, PATH: process.env.PATH, MLFLOW_TRACKING_URI: join(directory, 'runs') },
  });
  platform = await startPlatform();
  await platform.startRegistry();
}, 900_000);
afterAll(async () => {
  await platform?.stop();
  await rm(directory, { recursive: true, force: true });
});

const filesOf = async (name: string): Promise<PackageFiles> => {
  const root = join(directory, name);
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(async (entry): Promise<[string, Uint8Array]> => {
      const path = join(entry.parentPath, entry.name);
      return [relative(root, path), await readFile(path)];
    });
  return new Map(await Promise.all(files));
};

const put = async (files: PackageFiles): Promise<string> => {
  for (const bytes of files.values()) await platform.blobs.put(bytes);
  return (await platform.blobs.put(manifestOf(files).bytes)).digest;
};

const importFiles = async (
  files: PackageFiles,
  part: Partial<ImportModelRequest> = {},
): Promise<ModelImport> => {
  const { modelImport } = await platform.client.importModel(
    ImportModelRequest.fromPartial({
      model: 'houses',
      packageDigest: await put(files),
      allowNonValidatedModel: true,
      actor: { name: 'user:ada', reason: '' },
      ...(part as object),
    }),
  );
  return vi.waitFor(
    async () => {
      const now = await platform.client.getModelImport({ id: modelImport?.id ?? '' });
      expect(now.modelImport?.state).not.toBe('MODEL_IMPORT_STATE_RUNNING');
      return now.modelImport as ModelImport;
    },
    { timeout: 300_000, interval: 100 },
  );
};

const packageOf = async (digest: string): Promise<PackageFiles> => {
  const read = (blob: string) => platform.blobs.read(parseDigest(blob), 1e9);
  return readPackage(await read(digest), read);
};

const predictedBy = async (name: string) =>
  JSON.parse(await readFile(join(directory, `${name}.json`), 'utf8')) as (number | string)[];

describe('a model that stock MLflow saved', () => {
  test.each([
    ['sklearn', 'classification', 'clean', 1e-9],
    ['xgboost', 'regression', 'none', 1e-9],
    ['onnx', 'regression', 'none', 1e-6],
    ['custom', 'regression', 'unknown', 1e-9],
  ])(
    '(%s) becomes a version that predicts as MLflow does',
    async (name, task, pickles, tolerance) => {
      const model = `houses-${name}`;
      const done = await importFiles(await filesOf(name), { model, description: 'from elsewhere' });
      expect(done.error).toBeUndefined();
      expect(done.modelVersion).toMatchObject({
        model,
        version: 1,
        source: 'import',
        description: 'from elsewhere',
        verdict: 'UNKNOWN',
        approvalState: 'APPROVAL_STATE_PENDING',
        pickles: { verdict: pickles },
        tags: { task },
      });
      expect(done.modelVersion?.flavors).toContain('python_function');
      const predictor = await loadPredictor(await packageOf(done.modelVersion?.digest ?? ''), {
        environments,
      });
      const example = JSON.parse(
        new TextDecoder().decode(
          (await packageOf(done.modelVersion?.digest ?? '')).get('millrace/input_example.json'),
        ),
      ) as { data: unknown[][] };
      const prediction = await predictor.predict(predictor.inputExample);
      await predictor.close();
      const expected = (await predictedBy(name)).slice(0, example.data.length);
      if (prediction.kind === 'classification') {
        expect(prediction.labels).toEqual(expected);
        expect(prediction.probabilities?.[0]).toHaveLength(2);
        return;
      }
      // A model without an example was tried on zeros.
      const wanted = name === 'custom' ? [0] : (expected as number[]);
      const worst = Math.max(
        ...wanted.map((value, row) => Math.abs(value - (prediction.values[row] ?? NaN))),
      );
      expect(worst).toBeLessThan(tolerance);
    },
    300_000,
  );

  test('is the same version when it comes again, and keeps its own files as they were', async () => {
    const files = await filesOf('sklearn');
    const [first, second] = [await importFiles(files), await importFiles(files)];
    expect(second.modelVersion).toEqual(first.modelVersion);
    const kept = await packageOf(first.modelVersion?.digest ?? '');
    for (const [path, bytes] of files) expect(Buffer.compare(kept.get(path) ?? Buffer.of(), bytes)).toBe(0);
  }, 300_000);

  test('is not promoted without an evaluation unless somebody breaks the glass', async () => {
    const version = { model: 'houses-xgboost', version: 1 };
    const ask = (breakGlass: boolean) =>
      platform.client.approveModelVersion({
        ...version,
        breakGlass,
        actor: { name: 'user:grace', reason: 'checked by hand' },
      });
    await expect(ask(false)).rejects.toMatchObject({ code: 'failed_precondition' });
    expect((await ask(true)).modelVersion?.approvalState).toBe('APPROVAL_STATE_APPROVED');
  });
});

describe('an import is refused', () => {
  const begin = async (part: Partial<ImportModelRequest>) =>
    platform.client.importModel(
      ImportModelRequest.fromPartial({
        model: 'houses',
        packageDigest: `sha256:${'0'.repeat(64)}`,
        allowNonValidatedModel: true,
        actor: { name: 'user:ada', reason: '' },
        ...(part as object),
      }),
    );

  test.each<[string, Partial<ImportModelRequest>, RegExp]>([
    ['that nothing vouches for', { allowNonValidatedModel: false }, /no evaluation vouches/],
    ['of a task that is none', { task: 'ranking' }, /^task: must be regression or classification/],
    ['of one class', { classes: ['yes'] }, /^classes: must be 2/],
    ['of a digest that is none', { packageDigest: 'x' }, /packageDigest/],
    ['with dangerous pickles and no reason', { allowDangerousPickles: true }, /^actor\.reason/],
  ])('%s', async (_, part, message) => {
    await expect(begin(part)).rejects.toThrow(message);
  });

  test('when its pickle may run anything, which does not run', async () => {
    const done = await importFiles(await filesOf('evil'));
    expect(done).toMatchObject({
      state: 'MODEL_IMPORT_STATE_FAILED',
      error: {
        code: 'failed_precondition',
        message: expect.stringMatching(/pickles are dangerous.*model\.pkl: posix\.system/),
      },
    });
    await expect(access(join(directory, 'pwned'))).rejects.toThrow();
  }, 300_000);

  test('when it is no model directory, or an ONNX file reaches outside', async () => {
    const text = (value: string) => new TextEncoder().encode(value);
    const none = await importFiles(new Map([['weights.bin', text('x')]]));
    expect(none.error).toMatchObject({ code: 'invalid', message: expect.stringMatching(/^MLmodel: /) });
    const files = new Map(await filesOf('onnx'));
    const path = [...files.keys()].find((name) => name.endsWith('.onnx')) ?? '';
    files.set(path, externalTensor('../../../etc/passwd'));
    expect((await importFiles(files)).error?.message).toMatch(/outside the package/);
  }, 300_000);
});

/** An ONNX file whose only tensor lies elsewhere. */
const externalTensor = (location: string): Uint8Array => {
  const field = (number: number, content: Uint8Array | string): Uint8Array => {
    const bytes = Buffer.from(content);
    return Buffer.concat([Buffer.of((number << 3) | 2, bytes.length), bytes]);
  };
  const entry = Buffer.concat([field(1, 'location'), field(2, location)]);
  const tensor = Buffer.concat([field(13, entry), Buffer.of(14 << 3, 1)]);
  return field(7, Buffer.concat([field(5, tensor), field(12, field(1, 'Y'))]));
};
