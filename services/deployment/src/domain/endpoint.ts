import type { RevisionState, RolloutState, Strategy } from '@millrace/contracts/deployment';

/** How a candidate comes to serve, with every default filled in. */
export interface RolloutPolicy {
  readonly strategy: Strategy;
  /** Percentages before 100, ascending; for a shadow the one share that is copied. */
  readonly canarySteps: readonly number[];
  readonly automatic: boolean;
  readonly minRequests: number;
  /** 0 to 1. */
  readonly maxErrorRate: number;
  /** Milliseconds; 0: not watched. */
  readonly maxLatencyP95Ms: number;
  readonly rollbackOnAlert: boolean;
}

export interface Revision {
  /** 1, 2, 3 … within the endpoint. */
  readonly number: number;
  readonly model: string;
  readonly modelVersion: number;
  readonly modelDigest: string;
  readonly state: RevisionState;
  readonly pipelineRunId: string;
  readonly error: string;
  /** ISO 8601. When it first answered a request. */
  readonly firstServedAt?: string;
  /** When it last lost its place as the stable revision, or was found serving. */
  readonly lastServedAt?: string;
  readonly createdAt: string;
  /** `traceparent` of what deployed it; its predictions link there. Absent where nothing was traced. */
  readonly traceparent?: string;
}

export interface TrafficShare {
  readonly revision: number;
  /** 0 to 100. */
  readonly percent: number;
  readonly shadow: boolean;
}

export interface Rollout {
  readonly candidateRevision: number;
  /** 0 when nothing served before. */
  readonly stableRevision: number;
  readonly policy: RolloutPolicy;
  readonly state: RolloutState;
  /** Index into `policy.canarySteps`; its length means 100 %. */
  readonly step: number;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly reason: string;
}

/** An endpoint with its revisions: one document, so that traffic, rollout and events change together. */
export interface Endpoint {
  readonly name: string;
  /** 0 while none is ready. */
  readonly stableRevision: number;
  readonly traffic: readonly TrafficShare[];
  readonly rollout?: Rollout;
  readonly alias: string;
  readonly nextRevision: number;
  /** Oldest first; the retired ones are forgotten beyond a limit. */
  readonly revisions: readonly Revision[];
  readonly createdAt: string;
}

export const revisionOf = (endpoint: Endpoint, number: number): Revision | undefined =>
  endpoint.revisions.find((revision) => revision.number === number);
