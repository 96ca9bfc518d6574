import { createJobPool, type JobPool } from '@millrace/jobs';
import type { MeasureWindow } from '../application/ports.ts';
import type { MeasureWindowInput } from '../jobs/measure-window.job.ts';

const entry = new URL('../jobs/measure-window.job.ts', import.meta.url);
/** The child is kept this long for the next window. Milliseconds. */
const idleMs = 30_000;

/**
 * Measures windows in a child process: permutation tests take a tenth of a second and more, for which nothing else
 * in this process, predictions in the embedded mode above all, would be answered.
 */
export const windowMeasuring = (): { readonly measureWindow: MeasureWindow } & Pick<JobPool, 'close'> => {
  const pool = createJobPool({ size: 1, idleMs });
  return {
    measureWindow: (identity, { sketch, ...rest }) => {
      const input: MeasureWindowInput = { identity, measured: { ...rest, sketch: sketch.toJSON() } };
      return pool.run({ entry, input, activity: `measuring window ${identity.endpoint}/${identity.number}` });
    },
    close: () => pool.close(),
  };
};
