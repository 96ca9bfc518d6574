export { armCrashPoints, type CrashPoint, crashPoint, crashPoints } from './crash-points.ts';
