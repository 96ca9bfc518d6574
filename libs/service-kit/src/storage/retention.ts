import { decodeTime } from 'ulid';

/** When a document's time ran out began to count. */
export interface Ended {
  /** The setting that says how long it is kept from then on: `runs`, `failed_runs`, `steps`, `windows`. */
  readonly period: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** How long documents of a collection are kept that nothing refers to. */
export interface Retention<T extends object = object> {
  readonly collection: string;
  /** `undefined` while the document is in use, and is kept whatever happens. */
  readonly ended: (document: T, key: string) => Ended | undefined;
  /** Removes what belongs to the document elsewhere in the store; repeated after a crash. */
  readonly removeParts?: (key: string) => Promise<void>;
}

/** What a service says of its documents to the collector of garbage. */
export interface StorageParts {
  /** Collections that speak of other documents and blobs without keeping them: journals, copies, counts. */
  readonly journals?: readonly string[];
  readonly retention?: readonly Retention[];
}

/** A rule with the type of its documents, which the store does not know. */
export const retention = <T extends object>(rule: Retention<T>): Retention => rule as unknown as Retention;

/** When an id made by `newId` was made, milliseconds since the epoch; `undefined` for another text. */
export const timeOfId = (id: string): number | undefined => {
  const ulid = /_([0-9a-hjkmnp-tv-z]{26})$/.exec(id)?.[1];
  if (ulid === undefined) return undefined;
  try {
    return decodeTime(ulid.toUpperCase());
  } catch {
    return undefined;
  }
};

interface WorkerDocument {
  readonly pipelineRunId: string;
  readonly state: string;
}

/** Of what the step worker keeps in every service's store. */
export const workerRetention: readonly Retention[] = [
  retention<WorkerDocument>({
    collection: 'step_executions',
    ended: ({ pipelineRunId, state }) => {
      const at = timeOfId(pipelineRunId);
      return state === 'claimed' || at === undefined ? undefined : { period: 'steps', at };
    },
  }),
  retention<{ readonly at: string }>({
    collection: 'cancelled_runs',
    ended: ({ at }) => ({ period: 'steps', at: Date.parse(at) }),
  }),
];
export const workerJournals: readonly string[] = ['step_executions', 'cancelled_runs'];
