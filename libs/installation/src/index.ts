export { type ControlAnswer, controlSocketOf, orderRestart } from './control.ts';
export {
  type CertificateReport,
  type ConsumerDiagnosis,
  clockSkewMs,
  type Diagnosis,
  type DiskReport,
  type ServiceReport,
  type StreamDiagnosis,
} from './diagnosis.ts';
export {
  isAlive,
  type RunningState,
  readRunningState,
  removeRunningState,
  writeRunningState,
} from './state-file.ts';
