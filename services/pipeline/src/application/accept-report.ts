import type { Outcome } from '@millrace/bus';
import type { InboxPosition } from '@millrace/store';
import type { StepReport } from '../domain/inputs.ts';
import { applyInput } from './apply-input.ts';
import type { PipelineContext } from './context.ts';

/** Takes what a worker says of an attempt; only the current attempt's first report counts. */
export const acceptReport = async (
  context: PipelineContext,
  runId: string,
  report: StepReport,
  handled: InboxPosition,
): Promise<Outcome> => {
  const changed = await applyInput(context, runId, { kind: 'step_reported', report }, handled);
  if (changed !== undefined) return { kind: 'done' };
  return { kind: 'ignored', reason: `no pipeline run ${runId} waits for it` };
};

/** Lets the runs go on, or fail, that wait for the approval of a model version (`flights/3`). */
export const acceptApproval = async (
  context: PipelineContext,
  subject: string,
  verdict: 'approved' | 'rejected',
  reason: string,
): Promise<Outcome> => {
  const waitingFor = `approval of ${subject}`;
  let answered = 0;
  for await (const { key, document } of context.collections.runs.scan({
    field: 'waitingFor',
    op: 'eq',
    value: waitingFor,
  })) {
    const step = document.steps.find((candidate) => candidate.waitingFor === waitingFor);
    if (step === undefined) continue;
    await applyInput(context, key, {
      kind: 'approval_known',
      step: step.plan.name,
      subject,
      verdict,
      reason,
    });
    answered += 1;
  }
  return answered > 0 ? { kind: 'done' } : { kind: 'ignored', reason: `no run waits for ${waitingFor}` };
};
