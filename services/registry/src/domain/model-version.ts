import type { Signature as ModelSignature, PickleReport } from '@millrace/modeling';
import type { Json } from '@millrace/store';
import type { Actor } from './actor.ts';

/** What the gates said of the very model: REJECTED never becomes a version. */
export type Verdict = 'VALIDATED' | 'UNKNOWN';

export interface SignatureField {
  readonly name: string;
  /** `number`, `integer`, `boolean`, `string` or `timestamp`. */
  readonly type: string;
  readonly required: boolean;
}

export interface Signature {
  readonly inputs: readonly SignatureField[];
  readonly outputs: readonly SignatureField[];
}

/** A model's own signature as a version shows it. */
export const signatureFields = ({ inputs, output }: ModelSignature): Signature => ({
  inputs: inputs.map(({ name, type, nullable }) => ({ name, type, required: !nullable })),
  outputs: [{ name: output.name, type: output.type, required: true }],
});

/** One row as column → value. */
export type ExampleRow = Readonly<Record<string, Json>>;

/** An approver's decision; never changed or removed. */
export interface Approval {
  readonly id: string;
  readonly actor: Actor;
  /** False: a rejection, which voids the approvals before it. */
  readonly approved: boolean;
  /** Overrode the policy. */
  readonly breakGlass: boolean;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Absent: it never expires. */
  readonly expiresAt?: string;
}

/** Where a version comes from; empty texts where the origin is not known. */
export interface Origin {
  readonly trainingRunId: string;
  readonly pipelineRunId: string;
  readonly datasetVersionId: string;
  readonly codeCommit: string;
  readonly profileDigest: string;
}

/** The proof that the version passed its gates, as its owner gave it. */
export interface Evidence {
  readonly reportId: string;
  readonly verdict: Verdict;
  /** Headline metrics of the test split. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Everything that is fixed when a version is registered. */
export interface Registration {
  readonly model: string;
  /** Digest of the model package's manifest. */
  readonly digest: string;
  readonly signature: Signature;
  readonly inputExample: readonly ExampleRow[];
  readonly origin: Origin;
  readonly evidence: Evidence;
  readonly tags: Readonly<Record<string, string>>;
  readonly registeredBy: Actor;
  readonly registeredAt: string;
  /** Absent in versions of earlier releases: `run`. */
  readonly source?: 'run' | 'import';
  readonly description?: string;
  /** MLflow's flavors of the package. */
  readonly flavors?: readonly string[];
  /** Absent when nobody looked into its pickles. */
  readonly pickles?: PickleReport;
}

/** The stored form: an unchangeable registration and the decisions about it. */
export interface ModelVersion extends Registration {
  /** 1, 2, 3 … within the model. */
  readonly number: number;
  /** Unique in the store, so that the same model is never registered twice. */
  readonly registrationId: string;
  readonly approvals: readonly Approval[];
  readonly archived: boolean;
  /** How often the policy refused an approval. */
  readonly denials: number;
}

export const registrationIdOf = (model: string, digest: string): string => `${model}@${digest}`;

export const newModelVersion = (registration: Registration, number: number): ModelVersion => ({
  ...registration,
  number,
  registrationId: registrationIdOf(registration.model, registration.digest),
  approvals: [],
  archived: false,
  denials: 0,
});
