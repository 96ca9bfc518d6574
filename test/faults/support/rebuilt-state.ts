import type { TailedEvent } from '@millrace/bus';
import type { EventDefinition } from '@millrace/contracts';
import { deploymentEvents } from '@millrace/contracts/deployment';
import { ingestEvents } from '@millrace/contracts/ingest';
import { monitoringEvents } from '@millrace/contracts/monitoring';
import { pipelineEvents } from '@millrace/contracts/pipeline';
import { registryEvents } from '@millrace/contracts/registry';
import { trainingEvents } from '@millrace/contracts/training';

/** Events once each, every entity's in its own order, entities in the order of the stream. */
export const inOrder = (events: readonly TailedEvent[]): readonly TailedEvent[] => {
  const seen = new Set<string>();
  const once = events.filter(({ id }) => !seen.has(id) && seen.add(id));
  const queues = new Map<string, TailedEvent[]>();
  for (const event of once) queues.set(event.entity, [...(queues.get(event.entity) ?? []), event]);
  for (const queue of queues.values()) queue.sort((a, b) => a.sequence - b.sequence);
  return once.map(({ entity }) => queues.get(entity)?.shift()).filter((event) => event !== undefined);
};

/** Runs a reducer for one type of event. */
export interface Reducer {
  readonly definition: EventDefinition<unknown>;
  readonly apply: (data: unknown, event: TailedEvent) => void;
}

export const on = <T>(
  definition: EventDefinition<T>,
  apply: (data: T, event: TailedEvent) => void,
): Reducer => ({
  definition: definition as EventDefinition<unknown>,
  apply: (data, event) => apply(data as T, event),
});

/** Gives every event to its reducers, decoded. */
export const replay = (events: readonly TailedEvent[], reducers: readonly Reducer[]): void => {
  for (const event of inOrder(events)) {
    for (const { definition, apply } of reducers) {
      if (definition.type === event.type) apply(definition.codec.fromJSON(event.data), event);
    }
  }
};

/** State that the event log implies: maps of key → what a projection should answer. */
export interface RebuiltState {
  readonly runs: ReadonlyMap<string, string>;
  readonly trainingRuns: ReadonlyMap<string, string>;
  readonly datasetVersions: ReadonlyMap<string, string>;
  readonly modelVersions: ReadonlyMap<string, string>;
  readonly aliases: ReadonlyMap<string, string>;
  readonly endpoints: ReadonlyMap<string, string>;
  readonly monitors: ReadonlyMap<string, string>;
  readonly alerts: ReadonlyMap<string, string>;
}

const stateName = (state: string, prefix: string): string => state.replace(prefix, '');
const approvalName = (state: string | undefined): string => stateName(state ?? '', 'APPROVAL_STATE_');

/** Folds the whole event log into the states that the services' own answers must equal. */
export const rebuildState = (events: readonly TailedEvent[]): RebuiltState => {
  const runs = new Map<string, string>();
  const trainingRuns = new Map<string, string>();
  const datasetVersions = new Map<string, string>();
  const modelVersions = new Map<string, string>();
  const aliases = new Map<string, string>();
  const endpoints = new Map<string, string>();
  const monitors = new Map<string, string>();
  const alerts = new Map<string, string>();
  const versionKey = (version: { model: string; version: number } | undefined) =>
    `${version?.model}/${version?.version}`;

  replay(events, [
    on(pipelineEvents.runRequested, (_, { key }) => runs.set(key, 'OPEN')),
    on(pipelineEvents.runResumed, (_, { key }) => runs.set(key, 'OPEN')),
    on(pipelineEvents.runSucceeded, (_, { key }) => runs.set(key, 'SUCCEEDED')),
    on(pipelineEvents.runFailed, (_, { key }) => runs.set(key, 'FAILED')),
    on(pipelineEvents.runCancelled, (_, { key }) => runs.set(key, 'CANCELLED')),
    on(pipelineEvents.stepFinished, ({ step }) => {
      if (step?.name !== 'monitor' || step.state !== 'STEP_STATE_SUCCEEDED') return;
      const bound = step.outputs.find(({ kind }) => kind === 'monitor');
      if (bound !== undefined) monitors.set(bound.id, 'BOUND');
    }),
    on(trainingEvents.runStarted, (_, { key }) => trainingRuns.set(key, 'RUNNING')),
    on(trainingEvents.runFinished, (_, { key }) => trainingRuns.set(key, 'FINISHED')),
    on(trainingEvents.runFailed, ({ run }, { key }) =>
      trainingRuns.set(key, stateName(run?.status ?? '', 'RUN_STATUS_')),
    ),
    on(ingestEvents.datasetVersionCreated, ({ datasetVersion }) =>
      datasetVersions.set(datasetVersion?.id ?? '', datasetVersion?.digest ?? ''),
    ),
    on(registryEvents.modelVersionRegistered, ({ modelVersion }) =>
      modelVersions.set(versionKey(modelVersion), approvalName(modelVersion?.approvalState)),
    ),
    on(registryEvents.modelVersionApproved, ({ modelVersion }) =>
      modelVersions.set(versionKey(modelVersion), 'APPROVED'),
    ),
    on(registryEvents.modelVersionRejected, ({ modelVersion }) =>
      modelVersions.set(versionKey(modelVersion), 'REJECTED'),
    ),
    on(registryEvents.aliasMoved, ({ move }) => {
      const alias = `${move?.model}@${move?.alias}`;
      if (move?.toVersion === 0) aliases.delete(alias);
      else aliases.set(alias, String(move?.toVersion));
    }),
    on(deploymentEvents.deploymentPromoted, ({ endpoint, revision }) =>
      endpoints.set(endpoint?.name ?? '', String(revision?.number)),
    ),
    on(deploymentEvents.deploymentRolledBack, ({ endpoint, restored }) =>
      endpoints.set(endpoint?.name ?? '', String(restored?.number)),
    ),
    on(deploymentEvents.endpointDeleted, ({ endpoint }) => {
      endpoints.delete(endpoint);
      monitors.delete(endpoint);
    }),
    on(monitoringEvents.alertRaised, ({ alert }) => alerts.set(alert?.id ?? '', 'RAISED')),
    on(monitoringEvents.alertAcknowledged, ({ alert }) => alerts.set(alert?.id ?? '', 'ACKNOWLEDGED')),
    on(monitoringEvents.alertResolved, ({ alert }) => alerts.set(alert?.id ?? '', 'RESOLVED')),
  ]);
  return { runs, trainingRuns, datasetVersions, modelVersions, aliases, endpoints, monitors, alerts };
};
