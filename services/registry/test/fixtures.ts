import type { Actor } from '../src/domain/actor.ts';
import { type ModelVersion, newModelVersion, type Registration } from '../src/domain/model-version.ts';

export const ada: Actor = { name: 'user:ada', reason: '' };
export const grace: Actor = { name: 'user:grace', reason: '' };
export const because = (actor: Actor, reason: string): Actor => ({ ...actor, reason });

/** A well-formed digest that differs with the number. */
export const digestNumber = (number: number): `sha256:${string}` =>
  `sha256:${number.toString(16).padStart(64, '0')}`;

export const minutes = (count: number): string => new Date(Date.UTC(2026, 0, 1, 0, count)).toISOString();
export const days = (count: number): string => new Date(Date.UTC(2026, 0, 1 + count)).toISOString();

export const registrationOf = (changes: Partial<Registration> = {}): Registration => ({
  model: 'flights',
  digest: digestNumber(1),
  signature: {
    inputs: [{ name: 'distance', type: 'number', required: true }],
    outputs: [{ name: 'delay', type: 'number', required: true }],
  },
  inputExample: [{ distance: 500 }],
  origin: {
    trainingRunId: 'a'.repeat(32),
    pipelineRunId: 'run_1',
    datasetVersionId: 'flights@0123456789ab',
    codeCommit: 'c0ffee',
    profileDigest: digestNumber(900),
  },
  evidence: { reportId: 'rep_1', verdict: 'VALIDATED', metrics: { root_mean_squared_error: 12.5 } },
  tags: { team: 'delays' },
  registeredBy: ada,
  registeredAt: minutes(0),
  ...changes,
});

export const versionOf = (number: number, changes: Partial<ModelVersion> = {}): ModelVersion => ({
  ...newModelVersion(registrationOf({ digest: digestNumber(number) }), number),
  ...changes,
});
