import type { StepContext } from '@millrace/service-kit';
import type { JobHooks } from './ports.ts';

/** Jobs of a step end with it, and what they print goes to its log. */
export const jobHooks = ({ signal, log }: Pick<StepContext, 'signal' | 'log'>): JobHooks => ({
  signal,
  onLog: ({ stream, text }) => log.info({ stream }, text),
});
