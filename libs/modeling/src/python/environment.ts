import { Invalid } from '@millrace/errors';
import type { EnvironmentSpec, PythonEnvironment } from '@millrace/python-runtime';
import { readJsonFile } from '../estimators/files.ts';
import type { PackageFiles } from '../package/manifest.ts';
import type { PackagedPythonModel, PythonModelEnvironment } from '../package/model-definition.ts';

/** Builds environments: `PythonEnvironments` of `libs/python-runtime`. */
export interface EnvironmentBuilder {
  ensure(
    spec: EnvironmentSpec,
    options?: { readonly signal?: AbortSignal; readonly onProgress?: (line: string) => void },
  ): Promise<PythonEnvironment>;
}

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
