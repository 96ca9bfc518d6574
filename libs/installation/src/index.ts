export {
  isAlive,
  type RunningState,
  readRunningState,
  removeRunningState,
  writeRunningState,
} from './state-file.ts';
