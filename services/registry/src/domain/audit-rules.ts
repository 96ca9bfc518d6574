import type { EventDefinition } from '@millrace/contracts';
import { bridgeEvents, type Webhook } from '@millrace/contracts/bridge';
import type { Actor as ActorMessage, Reaction } from '@millrace/contracts/common';
import { deploymentEvents, type Endpoint, type Revision } from '@millrace/contracts/deployment';
import { evaluationEvents, type Report } from '@millrace/contracts/evaluation';
import { gatewayEvents, type Token } from '@millrace/contracts/gateway';
import { ingestEvents } from '@millrace/contracts/ingest';
import { type Alert, monitoringEvents } from '@millrace/contracts/monitoring';
import { pipelineEvents, type Trigger } from '@millrace/contracts/pipeline';
import {
  type AliasMove,
  type Approval,
  type ModelVersion,
  registryEvents,
} from '@millrace/contracts/registry';
import type { Json } from '@millrace/store';
import type { Actor } from './actor.ts';
import type { AuditEntry } from './audit-chain.ts';

interface AuditedChange {
  readonly actor: Actor;
  /** Short facts: ids, states, figures. Never payloads. */
  readonly facts: Readonly<Record<string, Json | undefined>>;
}

/** What the audit log says of an event type. */
export interface AuditRule {
  readonly definition: EventDefinition<unknown>;
  describe(data: unknown): AuditedChange;
}

const rule = <T>(definition: EventDefinition<T>, describe: (data: T) => AuditedChange): AuditRule => ({
  definition: definition as EventDefinition<unknown>,
  describe: (data) => describe(data as T),
});

/** The actor, or the service that acts on its own. */
const by = (actor: ActorMessage | undefined, service: string): Actor => ({
  name: actor?.name || `service:${service}`,
  reason: actor?.reason ?? '',
});

const byRun = (pipelineRunId: string | undefined, service: string): Actor => ({
  name: pipelineRunId ? `pipeline_run:${pipelineRunId}` : `service:${service}`,
  reason: '',
});

/** An event that says who caused it. */
type Acted<T> = T & { readonly actor: ActorMessage | undefined };

const ofDecision = (version: ModelVersion | undefined, approval: Approval | undefined): AuditedChange => ({
  actor: by(approval?.actor, 'registry'),
  facts: {
    digest: version?.digest,
    verdict: version?.verdict,
    approvalId: approval?.id,
    breakGlass: approval?.breakGlass,
    expiresAt: approval?.expiresAt,
  },
});

const ofMove = (move: AliasMove | undefined): AuditedChange => ({
  actor: by(move?.actor, 'registry'),
  facts: {
    alias: move?.alias,
    fromVersion: move?.fromVersion,
    toVersion: move?.toVersion,
    approvalId: move?.approvalId,
    movedAt: move?.at,
  },
});

const ofReport = ({ report }: { readonly report: Report | undefined }): AuditedChange => ({
  actor: byRun(report?.pipelineRunId, 'evaluation'),
  facts: {
    modelDigest: report?.modelDigest,
    dataDigest: report?.dataDigest,
    verdict: report?.verdict,
    champion: report?.champion,
    failedGates: report?.gates.filter(({ passed }) => !passed).map(({ description }) => description),
  },
});

const ofDeployment = (data: {
  readonly endpoint: Endpoint | undefined;
  readonly revision: Revision | undefined;
  readonly actor?: ActorMessage | undefined;
}): AuditedChange => ({
  actor: by(data.actor, 'deployment'),
  facts: {
    revision: data.revision?.number,
    model: data.revision?.model,
    modelVersion: data.revision?.modelVersion,
    modelDigest: data.revision?.modelDigest,
    traffic: data.endpoint?.traffic.map(({ revision, percent, shadow }) => ({ revision, percent, shadow })),
  },
});

const ofAlert = ({ alert }: { readonly alert: Alert | undefined }): AuditedChange => ({
  actor: by(undefined, 'monitoring'),
  facts: {
    endpoint: alert?.endpoint,
    rule: alert?.rule,
    severity: alert?.severity,
    revision: alert?.revision,
    windowId: alert?.windowId,
  },
});

const ofTrigger = ({ trigger, actor }: Acted<{ readonly trigger: Trigger | undefined }>): AuditedChange => ({
  actor: by(actor, 'pipeline'),
  facts: {
    project: trigger?.project,
    condition: trigger?.condition?.$case,
    enabled: trigger?.enabled,
  },
});

const ofToken = ({ token, actor }: Acted<{ readonly token: Token | undefined }>): AuditedChange => ({
  actor: by(actor, 'gateway'),
  facts: { owner: token?.owner, role: token?.role, scopes: token?.scopes, expiresAt: token?.expiresAt },
});

const ofSwitch =
  (service: string) =>
  ({ reaction, actor }: Acted<{ readonly reaction: Reaction | undefined }>): AuditedChange => ({
    actor: by(actor, service),
    facts: { enabled: reaction?.enabled },
  });

/** What is told of a webhook: its address without what may be secret in it. */
const ofWebhook = (webhook: Webhook | undefined) => ({
  host: webhook === undefined ? undefined : URL.parse(webhook.url)?.host,
  eventTypes: webhook?.filter?.eventTypes,
  active: webhook?.active,
});

/** Every event that is a change by an actor, or a decision that others rely on. */
export const auditRules: readonly AuditRule[] = [
  rule(registryEvents.modelVersionRegistered, ({ modelVersion }) => ({
    actor: by(modelVersion?.registeredBy, 'registry'),
    facts: {
      digest: modelVersion?.digest,
      verdict: modelVersion?.verdict,
      evaluationReportId: modelVersion?.evaluationReportId,
      trainingRunId: modelVersion?.trainingRunId,
      pipelineRunId: modelVersion?.pipelineRunId,
      datasetVersionId: modelVersion?.datasetVersionId,
      codeCommit: modelVersion?.codeCommit,
    },
  })),
  rule(registryEvents.modelVersionApproved, (data) => ofDecision(data.modelVersion, data.approval)),
  rule(registryEvents.modelVersionApprovalAdded, (data) => ofDecision(data.modelVersion, data.approval)),
  rule(registryEvents.modelVersionRejected, (data) => ofDecision(data.modelVersion, data.approval)),
  rule(registryEvents.modelVersionApprovalDenied, ({ actor, reasons }) => ({
    actor: by(actor, 'registry'),
    facts: { deniedBecause: reasons },
  })),
  rule(registryEvents.modelVersionArchived, ({ modelVersion, actor }) => ({
    actor: by(actor, 'registry'),
    facts: { digest: modelVersion?.digest },
  })),
  rule(registryEvents.aliasMoved, ({ move, modelDigest }) => {
    const { actor, facts } = ofMove(move);
    return { actor, facts: { ...facts, modelDigest: modelDigest } };
  }),
  rule(registryEvents.aliasMoveDenied, ({ move, reasons }) => {
    const { actor, facts } = ofMove(move);
    return { actor, facts: { ...facts, deniedBecause: reasons } };
  }),
  rule(registryEvents.policyChanged, ({ policy, previous, actor }) => ({
    actor: by(actor, 'registry'),
    facts: { policy: policy && { ...policy }, previous: previous && { ...previous } },
  })),
  rule(registryEvents.reactionSwitched, ofSwitch('registry')),
  rule(deploymentEvents.deploymentStarted, ofDeployment),
  rule(deploymentEvents.trafficShifted, ofDeployment),
  rule(deploymentEvents.deploymentPromoted, ofDeployment),
  rule(deploymentEvents.deploymentRolledBack, (data) => {
    const { actor, facts } = ofDeployment(data);
    return {
      actor,
      facts: { ...facts, restoredRevision: data.restored?.number, alertId: data.alertId },
    };
  }),
  rule(deploymentEvents.deploymentFailed, (data) => {
    const { actor, facts } = ofDeployment(data);
    return { actor: { ...actor, reason: data.reason }, facts };
  }),
  rule(deploymentEvents.endpointDeleted, ({ actor }) => ({ actor: by(actor, 'deployment'), facts: {} })),
  rule(deploymentEvents.reactionSwitched, ofSwitch('deployment')),
  rule(pipelineEvents.runRequested, ({ run }) => ({
    actor: by(run?.submittedBy, 'pipeline'),
    facts: {
      project: run?.project?.project,
      manifestDigest: run?.project?.manifestDigest,
      commit: run?.project?.commit,
      causedBy: run?.causedBy,
      traceId: run?.traceId,
    },
  })),
  rule(pipelineEvents.runCancelRequested, ({ actor }) => ({ actor: by(actor, 'pipeline'), facts: {} })),
  rule(pipelineEvents.runResumed, ({ actor }) => ({ actor: by(actor, 'pipeline'), facts: {} })),
  rule(pipelineEvents.projectPushed, ({ project, actor }) => ({
    actor: by(actor, 'pipeline'),
    facts: {
      revision: project?.revision,
      manifestDigest: project?.snapshot?.manifestDigest,
      commit: project?.snapshot?.commit,
      defaultProfile: project?.defaultProfile,
    },
  })),
  rule(pipelineEvents.triggerCreated, ofTrigger),
  rule(pipelineEvents.triggerSwitched, ofTrigger),
  rule(pipelineEvents.triggerDeleted, ofTrigger),
  rule(pipelineEvents.reactionSwitched, ofSwitch('pipeline')),
  rule(pipelineEvents.garbageCollected, ({ collection }) => ({
    actor: by(collection?.startedBy, 'pipeline'),
    facts: {
      documentsRemoved: collection?.documentsRemoved,
      eventsRemoved: collection?.eventsRemoved,
      blobsRetired: collection?.retired?.blobs,
      blobsPurged: collection?.purged?.blobs,
      bytesPurged: collection?.purged?.bytes,
      error: collection?.error,
    },
  })),
  rule(pipelineEvents.holdPlaced, ({ hold }) => ({
    actor: { ...by(hold?.placedBy, 'pipeline'), reason: hold?.reason ?? '' },
    facts: {},
  })),
  rule(pipelineEvents.holdReleased, ({ hold, actor }) => ({
    actor: by(actor, 'pipeline'),
    facts: { placedBy: hold?.placedBy?.name, placedFor: hold?.reason },
  })),
  rule(ingestEvents.datasetVersionCreated, ({ datasetVersion }) => ({
    actor: byRun(datasetVersion?.pipelineRunId, 'ingest'),
    facts: {
      digest: datasetVersion?.digest,
      rows: datasetVersion?.rowCount,
      sources: datasetVersion?.sources.map(({ digest }) => digest),
    },
  })),
  rule(ingestEvents.datasetVersionRejected, ({ dataset, pipelineRunId, findings }) => ({
    actor: byRun(pipelineRunId, 'ingest'),
    facts: { dataset, brokenRules: findings.map((finding) => finding.rule) },
  })),
  rule(gatewayEvents.tokenCreated, ofToken),
  rule(gatewayEvents.tokenRevoked, ofToken),
  rule(evaluationEvents.reportPassed, ofReport),
  rule(evaluationEvents.reportFailed, ofReport),
  rule(monitoringEvents.alertRaised, ofAlert),
  rule(monitoringEvents.alertAcknowledged, ({ alert, actor }) => ({
    actor: by(actor, 'monitoring'),
    facts: ofAlert({ alert }).facts,
  })),
  rule(monitoringEvents.alertResolved, ofAlert),
  rule(monitoringEvents.monitorMuted, ({ monitor, actor }) => ({
    actor: by(actor, 'monitoring'),
    facts: { mutedUntil: monitor?.mutedUntil },
  })),
  rule(monitoringEvents.reactionSwitched, ofSwitch('monitoring')),
  rule(bridgeEvents.webhookCreated, ({ webhook, actor }) => ({
    actor: by(actor, 'bridge'),
    facts: ofWebhook(webhook),
  })),
  rule(bridgeEvents.webhookChanged, ({ webhook, actor, fields }) => ({
    actor: by(actor, 'bridge'),
    facts: { ...ofWebhook(webhook), fields },
  })),
  rule(bridgeEvents.webhookDeleted, ({ webhook, actor }) => ({
    actor: by(actor, 'bridge'),
    facts: ofWebhook(webhook),
  })),
  rule(bridgeEvents.webhookDisabled, ({ webhook, reason }) => ({
    actor: { name: 'service:bridge', reason },
    facts: ofWebhook(webhook),
  })),
  rule(monitoringEvents.retrainingRequested, ({ project, endpoint, windowId, reason }) => ({
    actor: { name: 'service:monitoring', reason },
    facts: { project, endpoint, windowId: windowId },
  })),
];

/** `millrace.registry.model_version.approved.v1` → `model_version.approved` */
const actionOf = ({ type, service }: EventDefinition<unknown>): string =>
  type.replace(`millrace.${service}.`, '').replace(/\.v\d+$/, '');

/** What the log keeps of an event; facts that are not known are left out. */
export const auditEntryOf = (
  { definition, describe }: AuditRule,
  event: { readonly entity: string; readonly time: string; readonly data: unknown },
): AuditEntry => {
  const { actor, facts } = describe(event.data);
  const told = Object.entries(facts).filter(([, value]) => value !== undefined && value !== '');
  return {
    at: event.time,
    actor,
    action: actionOf(definition),
    entity: event.entity,
    facts: Object.fromEntries(told) as AuditEntry['facts'],
  };
};
