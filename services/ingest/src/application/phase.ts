import type { StepContext } from '@millrace/service-kit';
import { inSpan } from '@millrace/telemetry';

export interface Phase {
  /** Name of the span. */
  readonly name: string;
  /** Of the step's work, done before it begins. */
  readonly fraction: number;
  /** What watchers read. */
  readonly message: string;
}

/** Does a part of a step: watchers are told that it begins, and it is a span of the run's trace. */
export const phase = <T>(
  { progress }: StepContext,
  { name, fraction, message }: Phase,
  work: () => Promise<T>,
): Promise<T> => {
  progress(fraction, message);
  return inSpan(name, {}, work);
};
