import type { JobMain } from '@millrace/jobs';
import {
  type Measured,
  reportWindow,
  type WindowIdentity,
  type WindowReport,
} from '../domain/window-report.ts';
import { WindowSketch, type WindowSketchJson } from '../domain/window-sketch.ts';

/** `reportWindow`, with the sketch in the form that can be sent. */
export interface MeasureWindowInput {
  readonly identity: WindowIdentity;
  readonly measured: Omit<Measured, 'sketch'> & { readonly sketch: WindowSketchJson };
}

const main: JobMain<MeasureWindowInput, WindowReport> = async ({ identity, measured }) =>
  reportWindow(identity, {
    ...measured,
    sketch: WindowSketch.fromJSON(measured.sketch, measured.baseline),
  });

export default main;
