import { setPriority } from 'node:os';
import type { JobContext, JobMain } from '@millrace/jobs';
import {
  type Measured,
  reportWindow,
  type WindowIdentity,
  type WindowReport,
} from '../domain/window-report.ts';
import { type Baseline, WindowSketch, type WindowSketchJson } from '../domain/window-sketch.ts';

/** `reportWindow`, with the sketch in the form that can be sent, and a baseline that is asked for unless it is known. */
export interface MeasureWindowInput {
  readonly identity: WindowIdentity;
  /** Of the process that asks; always of the same baseline. */
  readonly baselineId: number;
  readonly measured: Omit<Measured, 'sketch' | 'baseline'> & { readonly sketch: WindowSketchJson };
}

/** Where all cores are taken, whoever answers predictions goes first, and windows still get about a quarter of one. */
const niceness = 5;
setPriority(niceness);

const maxKnown = 16;
const known = new Map<number, Baseline>();

const baselineOf = async (id: number, context: JobContext): Promise<Baseline> => {
  const kept = known.get(id);
  if (kept !== undefined) return kept;
  const baseline = (await context.ask('baseline')) as Baseline;
  known.set(id, baseline);
  const [oldest] = known.keys();
  if (known.size > maxKnown && oldest !== undefined) known.delete(oldest);
  return baseline;
};

const main: JobMain<MeasureWindowInput, WindowReport> = async (
  { identity, baselineId, measured },
  context,
) => {
  const baseline = await baselineOf(baselineId, context);
  const sketch = WindowSketch.fromJSON(measured.sketch, baseline);
  return reportWindow(identity, { ...measured, baseline, sketch });
};

export default main;
