import { pipelineEvents } from '@millrace/contracts/pipeline';
import { StepCommand } from '@millrace/contracts/step';
import { eventMessage } from '@millrace/service-kit';
import type { Json, NewMessage } from '@millrace/store';
import type { Effect } from '../domain/effects.ts';
import { findStep, inputsOf, type PipelineRun, type RunStep } from '../domain/run.ts';
import { runView, stepView } from './views.ts';

/** The messages that make a run's effects known outside. They carry the run's own trace, whoever caused them. */
export const messagesOf = (run: PipelineRun, effects: readonly Effect[]): readonly NewMessage[] =>
  effects.flatMap((effect) => messagesOfEffect(run, effect));

const messagesOfEffect = (run: PipelineRun, effect: Effect): readonly NewMessage[] => {
  const { id } = run;
  const headers = traceOf(run, run.spanId);
  switch (effect.kind) {
    case 'run_requested':
      return [eventMessage(pipelineEvents.runRequested, id, { run: runView(run) }, headers)];
    case 'step_dispatched':
      return [
        commandMessage(run, stepOf(run, effect.step)),
        eventMessage(pipelineEvents.stepStarted, id, stepPayload(run, effect.step), headers),
      ];
    case 'step_finished':
      return [eventMessage(pipelineEvents.stepFinished, id, stepPayload(run, effect.step), headers)];
    case 'step_waiting':
      return [eventMessage(pipelineEvents.stepWaiting, id, stepPayload(run, effect.step), headers)];
    case 'cancel_requested':
      return [
        eventMessage(
          pipelineEvents.runCancelRequested,
          id,
          { pipelineRunId: id, actor: effect.actor },
          headers,
        ),
      ];
    case 'run_resumed':
      return [
        eventMessage(pipelineEvents.runResumed, id, { pipelineRunId: id, actor: effect.actor }, headers),
      ];
    case 'run_ended':
      return [endMessage(run, headers)];
  }
};

const endMessage = (run: PipelineRun, headers: Readonly<Record<string, string>>): NewMessage => {
  const payload = { run: runView(run) };
  if (run.state === 'succeeded') return eventMessage(pipelineEvents.runSucceeded, run.id, payload, headers);
  if (run.state === 'failed') return eventMessage(pipelineEvents.runFailed, run.id, payload, headers);
  return eventMessage(pipelineEvents.runCancelled, run.id, payload, headers);
};

const stepOf = (run: PipelineRun, name: string): RunStep => {
  const step = findStep(run, name);
  if (step === undefined) throw new Error(`run ${run.id} has no step ${name}`);
  return step;
};

const stepPayload = (run: PipelineRun, name: string) => ({
  pipelineRunId: run.id,
  step: stepView(stepOf(run, name)),
});

/** The worker's spans become children of the step's span, which is emitted when the run ends. */
const traceOf = (run: PipelineRun, spanId: string): Readonly<Record<string, string>> => ({
  traceparent: `00-${run.traceId}-${spanId}-${run.sampled === false ? '00' : '01'}`,
});

const commandMessage = (run: PipelineRun, step: RunStep): NewMessage => {
  const { name, service, config, timeoutMs } = step.plan;
  const key = `${run.id}.${name}.${step.attempt}`;
  const command: StepCommand = {
    pipelineRunId: run.id,
    step: name,
    attempt: step.attempt,
    project: run.project,
    recipe: run.recipe,
    config: { ...config },
    inputs: [...inputsOf(run, step)],
    timeoutSeconds: timeoutMs / 1000,
    actor: run.submittedBy,
  };
  return {
    subject: `millrace.step.${service}.${name}`,
    type: 'millrace.step.command.v1',
    key,
    // The same attempt is the same piece of work, however often it is sent.
    id: `command.${key}`,
    data: StepCommand.toJSON(command) as Json,
    headers: traceOf(run, step.spanId),
  };
};
