export * from './contract.ts';
export { cacheDirectory } from './environments/cache-directory.ts';
export { environmentSpecOf } from './environments/environment-spec.ts';
export type { EnvironmentInfo, Pruned, PruneOptions } from './environments/inventory.ts';
export { projectFilesIn } from './environments/project-directory.ts';
export {
  type EnsureOptions,
  type EnvironmentsOptions,
  PythonEnvironments,
} from './environments/python-environments.ts';
export type { ProjectFiles } from './environments/requirements-file.ts';
export { arrowToTable, tableToArrow } from './worker/arrow.ts';
export {
  type CallOptions,
  type CallResult,
  PythonProcess,
  type PythonProcessOptions,
  pythonLibrary,
} from './worker/python-process.ts';
export { runPythonJob } from './worker/run-python-job.ts';
