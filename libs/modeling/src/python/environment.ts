import { basename } from 'node:path';
import { Invalid } from '@millrace/errors';
import type { EnvironmentSpec, PythonEnvironment } from '@millrace/python-runtime';
import { readJsonFile } from '../estimators/files.ts';
import { onnxToServe } from '../onnx/onnx-to-serve.ts';
import type { PackageFiles } from '../package/manifest.ts';
import { readMlmodel } from '../package/mlmodel.ts';
import type {
  PackagedEstimator,
  PackagedPythonModel,
  PythonModelEnvironment,
} from '../package/model-definition.ts';
import { importedDirectory, ownFiles } from '../package/own-files.ts';
import type { Signature } from '../package/signature.ts';

export interface EnvironmentBuildOptions {
  readonly signal?: AbortSignal;
  /** Takes a line for each thing that is done. */
  readonly onProgress?: (line: string) => void;
}

/** Builds environments: `PythonEnvironments` of `libs/python-runtime`. */
export interface EnvironmentBuilder {
  ensure(spec: EnvironmentSpec, options?: EnvironmentBuildOptions): Promise<PythonEnvironment>;
}

/** Packages of the project's own, as the lock names them; MLflow puts wheels there, too. */
const wheelPath = /^wheels\/[^/]+\.whl$/;

/** Whether this file of a package is one that `prepareModel` reads. */
export const describesModel = (path: string): boolean =>
  path.startsWith(`${importedDirectory}/`) ||
  wheelPath.test(path) ||
  /^(MLmodel|requirements\.txt|[a-z_]+\.json)$/.test(path);

/**
 * Builds the environment that a package answers from, unless it needs none. Afterwards it loads at once, in any process
 * that uses the same directory of environments.
 *
 * @param files of the package; those that `describesModel` are enough
 */
export const prepareModel = async (
  files: PackageFiles,
  environments: EnvironmentBuilder,
  options: EnvironmentBuildOptions = {},
): Promise<void> => {
  const own = ownFiles(files);
  const model = readJsonFile<{ kind: string }>(own, 'model.json');
  if (model.kind !== 'python') return;
  const signature = readJsonFile<Signature>(own, 'signature.json');
  if (onnxToServe(files, readMlmodel(files), signature) !== undefined) return;
  await environments.ensure(modelEnvironmentSpec(files, model as PackagedPythonModel), options);
};

/**
 * What the environment of a package is built from; undefined for one that Python did not make. Files beside the
 * descriptions and the lock are not looked at.
 */
export const packageEnvironmentSpec = (files: PackageFiles): EnvironmentSpec | undefined => {
  const model = readJsonFile<PackagedEstimator | PackagedPythonModel>(ownFiles(files), 'model.json');
  return model.kind === 'python' ? modelEnvironmentSpec(files, model) : undefined;
};

/**
 * What the environment of a Python model is built from: exactly the packages that it was made with.
 */
export const modelEnvironmentSpec = (files: PackageFiles, model: PackagedPythonModel): EnvironmentSpec => {
  const source = model.lock ?? 'requirements.txt';
  const bytes = files.get(source);
  if (bytes === undefined) throw Invalid.field(source, 'the model package lacks this file');
  const lock = new TextDecoder().decode(bytes);
  const { python } = readJsonFile<PythonModelEnvironment>(ownFiles(files), 'environment.json');
  return {
    python: python.split('.').slice(0, 2).join('.'),
    requirements: [],
    needs: [],
    lock,
    source,
    ...wheelsOf(files, lock.split('\n')),
  };
};

/** The wheels of a package that its requirements name. */
export const wheelsOf = (
  files: PackageFiles,
  requirements: readonly string[],
): Pick<EnvironmentSpec, 'wheels'> => {
  const wheels = requirements
    .filter((line) => wheelPath.test(line))
    .map((path) => {
      const bytes = files.get(path);
      if (bytes === undefined) throw Invalid.field(path, 'the model package lacks this file');
      return [basename(path), Buffer.from(bytes).toString('base64')] as const;
    });
  return wheels.length === 0 ? {} : { wheels: Object.fromEntries(wheels) };
};
