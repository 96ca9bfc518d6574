import { Invalid } from '@millrace/errors';
import type { EnvironmentSpec, PythonEnvironment } from '@millrace/python-runtime';
import { readJsonFile } from '../estimators/files.ts';
import type { PackageFiles } from '../package/manifest.ts';
import type {
  PackagedEstimator,
  PackagedPythonModel,
  PythonModelEnvironment,
} from '../package/model-definition.ts';
import { ownFiles } from '../package/own-files.ts';

/** Builds environments: `PythonEnvironments` of `libs/python-runtime`. */
export interface EnvironmentBuilder {
  ensure(
    spec: EnvironmentSpec,
    options?: { readonly signal?: AbortSignal; readonly onProgress?: (line: string) => void },
  ): Promise<PythonEnvironment>;
}

/**
 * What the environment of a package is built from; undefined for one that Python did not make. Files beside the
 * descriptions and the lock are not looked at.
 */
export const packageEnvironmentSpec = (files: PackageFiles): EnvironmentSpec | undefined => {
  const own = ownFiles(files);
  const model = readJsonFile<PackagedEstimator | PackagedPythonModel>(own, 'model.json');
  return model.kind === 'python' ? modelEnvironmentSpec(files, own, model) : undefined;
};

/**
 * What the environment of a Python model is built from: exactly the packages that it was made with.
 *
 * @param own Millrace's files of the package
 */
export const modelEnvironmentSpec = (
  files: PackageFiles,
  own: PackageFiles,
  model: PackagedPythonModel,
): EnvironmentSpec => {
  const source = model.lock ?? 'requirements.txt';
  const lock = files.get(source);
  if (lock === undefined) throw Invalid.field(source, 'the model package lacks this file');
  const { python } = readJsonFile<PythonModelEnvironment>(own, 'environment.json');
  return {
    python: python.split('.').slice(0, 2).join('.'),
    requirements: [],
    needs: [],
    lock: new TextDecoder().decode(lock),
    source,
  };
};
