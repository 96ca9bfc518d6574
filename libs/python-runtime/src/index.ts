export { type ArrowColumn, arrowToTable, type TableLike, tableToArrow } from './arrow.ts';
export * from './contract.ts';
export {
  type CallOptions,
  type CallResult,
  PythonProcess,
  type PythonProcessOptions,
  pythonLibrary,
} from './worker/python-process.ts';
export { runPythonJob } from './worker/run-python-job.ts';
