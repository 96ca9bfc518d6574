export { type ControlAnswer, controlSocketOf, orderRestart } from './control.ts';
export type {
  CertificateReport,
  ConsumerDiagnosis,
  Diagnosis,
  DiskReport,
  ServiceReport,
  StreamDiagnosis,
} from './diagnosis.ts';
export {
  isAlive,
  type RunningState,
  readRunningState,
  removeRunningState,
  writeRunningState,
} from './state-file.ts';
