export { type ArrowColumn, arrowToTable, type TableLike, tableToArrow } from './arrow.ts';
export * from './contract.ts';
export { cacheDirectory } from './environments/cache-directory.ts';
export {
  type EnsureOptions,
  type EnvironmentsOptions,
  PythonEnvironments,
} from './environments/python-environments.ts';
export {
  type CallOptions,
  type CallResult,
  PythonProcess,
  type PythonProcessOptions,
  pythonLibrary,
} from './worker/python-process.ts';
export { runPythonJob } from './worker/run-python-job.ts';
