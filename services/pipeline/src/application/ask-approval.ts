import { asMillraceError, Internal, isRetryable } from '@millrace/errors';
import type { RunInput } from '../domain/inputs.ts';
import { inputsOf, type PipelineRun, type RunStep } from '../domain/run.ts';
import type { ModelVersionRef, PipelineContext } from './context.ts';

/** The model version that a step is to bring into service: what `register` made. */
const modelVersionOf = (run: PipelineRun, step: RunStep): ModelVersionRef => {
  const artifact = inputsOf(run, step).find(({ kind }) => kind === 'model_version');
  const match = /^(.+)\/(\d+)$/.exec(artifact?.id ?? '');
  if (match === null) throw new Internal(`${step.plan.name} was given no registered model version`);
  return { model: String(match[1]), version: Number(match[2]) };
};

/**
 * Asks the registry whether a step may bring its model version into service. What cannot become better by asking
 * again (no such version) is a refusal.
 */
export const askApproval = async (
  context: PipelineContext,
  run: PipelineRun,
  step: RunStep,
): Promise<Extract<RunInput, { kind: 'approval_known' }>> => {
  const version = modelVersionOf(run, step);
  const subject = `${version.model}/${version.version}`;
  const known = { kind: 'approval_known', step: step.plan.name, subject } as const;
  try {
    return { ...known, ...(await context.askApproval(version, String(step.plan.config.alias ?? ''))) };
  } catch (thrown) {
    const error = asMillraceError(thrown);
    if (isRetryable(error.code)) throw error;
    return { ...known, verdict: 'rejected', reason: error.message };
  }
};
