/** What this service does by itself when something happens elsewhere or in it. */
export const reactions = {
  retraining: {
    name: 'drift-requests-retraining',
    description: 'A window that drifted asks for a new pipeline run, at most once per cool-down.',
    eventType: 'millrace.monitoring.drift.detected.v1',
  },
  rollback: {
    name: 'rollback-restores-baseline',
    description:
      'After a rollback the endpoint is compared with the baseline of the revision that serves again.',
    eventType: 'millrace.deployment.deployment.rolled_back.v1',
  },
} as const;

export interface ReactionDefinition {
  readonly name: string;
  readonly description: string;
  readonly eventType: string;
}

/** Whether retraining may be asked for again. */
export const isCool = (lastRequestedAt: number | undefined, coolDownMs: number, now: number): boolean =>
  lastRequestedAt === undefined || now - lastRequestedAt >= coolDownMs;
