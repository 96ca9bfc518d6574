import type { Actor } from '@millrace/contracts/common';
import type { PipelineRun } from './run.ts';

/** What must become known outside together with a change of a run. */
export type Effect =
  | { readonly kind: 'run_requested' }
  /** The service of the step is told to do it. */
  | { readonly kind: 'step_dispatched'; readonly step: string }
  | { readonly kind: 'step_finished'; readonly step: string }
  | { readonly kind: 'step_waiting'; readonly step: string }
  | { readonly kind: 'cancel_requested'; readonly actor: Actor }
  | { readonly kind: 'run_resumed'; readonly actor: Actor }
  | { readonly kind: 'run_ended' };

/** The new state of a run and what it causes, to be committed together. */
export interface Decided {
  readonly run: PipelineRun;
  readonly effects: readonly Effect[];
}
