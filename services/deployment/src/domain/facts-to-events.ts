import type { Actor } from '@millrace/contracts/common';
import {
  deploymentEvents,
  type Endpoint as EndpointMessage,
  Revision as RevisionMessage,
} from '@millrace/contracts/deployment';
import { eventMessage } from '@millrace/service-kit';
import type { NewMessage } from '@millrace/store';
import type { Change, Fact } from './decide.ts';
import { type Endpoint, revisionOf } from './endpoint.ts';

/** Served requests by revision, kept beside the endpoint because they change all the time. */
export type ServedCounts = ReadonlyMap<number, number>;

export const revisionMessage = (
  endpoint: Endpoint,
  number: number,
  counts: ServedCounts,
): RevisionMessage | undefined => {
  const revision = revisionOf(endpoint, number);
  if (revision === undefined) return undefined;
  const { traceparent: _internal, ...published } = revision;
  return RevisionMessage.fromPartial({
    ...published,
    endpoint: endpoint.name,
    servedRequests: counts.get(number) ?? 0,
  });
};

export const endpointMessage = (endpoint: Endpoint, url: string): EndpointMessage => ({
  name: endpoint.name,
  stableRevision: endpoint.stableRevision,
  traffic: endpoint.traffic.map((share) => ({ ...share })),
  rollout:
    endpoint.rollout === undefined
      ? undefined
      : {
          ...endpoint.rollout,
          policy: { ...endpoint.rollout.policy, canarySteps: [...endpoint.rollout.policy.canarySteps] },
          endedAt: endpoint.rollout.endedAt,
        },
  alias: endpoint.alias,
  url,
  createdAt: endpoint.createdAt,
});

/** The events that report a change. */
export const eventsOf = (change: Change, actor: Actor, counts: ServedCounts, url: string): NewMessage[] => {
  const endpoint = endpointMessage(change.endpoint, url);
  const revision = (number: number) => revisionMessage(change.endpoint, number, counts);
  const event = (fact: Fact): NewMessage => {
    const key = change.endpoint.name;
    const common = { endpoint, revision: revision(fact.revision), actor };
    switch (fact.kind) {
      case 'started':
        return eventMessage(deploymentEvents.deploymentStarted, key, common);
      case 'traffic_shifted':
        return eventMessage(deploymentEvents.trafficShifted, key, common);
      case 'promoted':
        return eventMessage(deploymentEvents.deploymentPromoted, key, {
          ...common,
          previous: revision(fact.previous),
        });
      case 'rolled_back':
        return eventMessage(deploymentEvents.deploymentRolledBack, key, {
          ...common,
          restored: revision(fact.restored),
          alertId: fact.alertId,
        });
      case 'failed':
        return eventMessage(deploymentEvents.deploymentFailed, key, {
          endpoint,
          revision: common.revision,
          reason: fact.reason,
        });
    }
  };
  return change.facts.map(event);
};
