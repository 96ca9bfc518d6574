import { createJobPool, type JobPool } from '@millrace/jobs';
import type { MeasureWindow } from '../application/ports.ts';
import type { Baseline } from '../domain/window-sketch.ts';
import type { MeasureWindowInput } from '../jobs/measure-window.job.ts';

const entry = new URL('../jobs/measure-window.job.ts', import.meta.url);
/** The child is kept this long for the next window. Milliseconds. */
const idleMs = 30_000;

/**
 * Measures windows in a child process: permutation tests take some hundredths of a second and more, for which nothing
 * else in this process, predictions in the embedded mode above all, would be answered.
 */
export const windowMeasuring = (): { readonly measureWindow: MeasureWindow } & Pick<JobPool, 'close'> => {
  const pool = createJobPool({ size: 1, idleMs });
  const ids = new WeakMap<Baseline, number>();
  let lastId = 0;
  const idOf = (baseline: Baseline): number => {
    const id = ids.get(baseline) ?? ++lastId;
    ids.set(baseline, id);
    return id;
  };
  return {
    measureWindow: (identity, { sketch, baseline, ...rest }) => {
      const input: MeasureWindowInput = {
        identity,
        baselineId: idOf(baseline),
        measured: { ...rest, sketch: sketch.toJSON() },
      };
      const activity = `measuring window ${identity.endpoint}/${identity.number}`;
      // A baseline is far larger than what is compared with it: the child asks for it once.
      return pool.run({ entry, input, activity, onQuestion: () => baseline });
    },
    close: () => pool.close(),
  };
};
