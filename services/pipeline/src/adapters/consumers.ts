import { type Event, type EventContext, type Outcome, type Subscription, subscription } from '@millrace/bus';
import type { EventDefinition } from '@millrace/contracts';
import { deploymentEvents } from '@millrace/contracts/deployment';
import { evaluationEvents } from '@millrace/contracts/evaluation';
import { ingestEvents } from '@millrace/contracts/ingest';
import { monitoringEvents } from '@millrace/contracts/monitoring';
import { registryEvents } from '@millrace/contracts/registry';
import type { StepFailure, StepSuccess } from '@millrace/contracts/step';
import { trainingEvents } from '@millrace/contracts/training';
import type { ServiceParts } from '@millrace/service-kit';
import { acceptApproval, acceptReport } from '../application/accept-report.ts';
import type { PipelineContext } from '../application/context.ts';
import { retrain } from '../application/retrain.ts';
import type { StepReport } from '../domain/inputs.ts';

interface StepEvents {
  readonly stepSucceeded: EventDefinition<{ result?: StepSuccess | undefined }>;
  readonly stepFailed: EventDefinition<{ result?: StepFailure | undefined }>;
}

/** Every service that does steps. */
const stepEvents: readonly StepEvents[] = [
  ingestEvents,
  trainingEvents,
  evaluationEvents,
  registryEvents,
  deploymentEvents,
  monitoringEvents,
];

/** All that the pipeline hears of. */
export const consumersOf = (context: PipelineContext): NonNullable<ServiceParts['consumers']> => [
  {
    name: 'pipeline-step-results',
    subscriptions: stepEvents.flatMap((events) => stepResults(context, events)),
  },
  { name: 'pipeline-approvals', subscriptions: approvals(context) },
  { name: 'pipeline-retraining', subscriptions: [retraining(context)] },
];

const stepResults = (context: PipelineContext, events: StepEvents): readonly Subscription[] => {
  const handle = async (
    event: Event<{ result?: StepSuccess | StepFailure | undefined }>,
    { handled }: EventContext,
  ): Promise<Outcome> => {
    const { result } = event.data;
    if (result === undefined) return { kind: 'reject', reason: 'the event has no result' };
    return acceptReport(context, result.pipelineRunId, reportOf(result), handled);
  };
  return [subscription(events.stepSucceeded, handle), subscription(events.stepFailed, handle)];
};

const reportOf = (result: StepSuccess | StepFailure): StepReport => ({
  step: result.step,
  attempt: result.attempt,
  lease: result.lease,
  outputs: result.outputs,
  ...(result.summary === undefined ? {} : { summary: result.summary }),
  warnings: 'warnings' in result ? result.warnings : [],
  workMs: result.workMs,
  ...('error' in result ? { error: result.error ?? unexplained } : {}),
});

const unexplained = {
  code: 'internal',
  message: 'the worker gave no reason',
  hint: '',
  violations: [],
  retryable: false,
};

const approvals = (context: PipelineContext): readonly Subscription[] => [
  subscription(registryEvents.modelVersionApproved, (event) =>
    acceptApproval(context, event.key, 'approved', event.data.approval?.actor?.reason ?? ''),
  ),
  subscription(registryEvents.modelVersionRejected, (event) => {
    const actor = event.data.approval?.actor;
    return acceptApproval(
      context,
      event.key,
      'rejected',
      actor?.reason || `by ${actor?.name ?? 'an approver'}`,
    );
  }),
];

const retraining = (context: PipelineContext): Subscription =>
  subscription(monitoringEvents.retrainingRequested, (event) => retrain(context, event.data, event.id));
