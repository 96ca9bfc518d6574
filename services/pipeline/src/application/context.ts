import type { BlobStore } from '@millrace/blobs';
import type { Actor, Reaction } from '@millrace/contracts/common';
import type { Collection, DocumentStore, NewMessage } from '@millrace/store';
import type { Logger } from '@millrace/telemetry';
import type { Patience } from '../domain/decide.ts';
import type { Effect } from '../domain/effects.ts';
import type { GarbageCollectionRecord, RetentionSettings } from '../domain/garbage/collection.ts';
import type { Project } from '../domain/project.ts';
import type { PipelineRun } from '../domain/run.ts';
import type { Trigger } from '../domain/trigger.ts';
import type { StoredMentions } from './garbage/blob-mentions.ts';
import type { Hold } from './garbage/holds.ts';

/** Under which run a request with an idempotency key was submitted. */
export interface Submission {
  readonly runId: string;
}

export interface ReactionSwitch {
  readonly enabled: boolean;
}

/** How far the events were read for triggers. */
export interface ReadPosition {
  readonly streamSequence: number;
}

export interface PipelineCollections {
  readonly runs: Collection<PipelineRun>;
  readonly projects: Collection<Project>;
  readonly submissions: Collection<Submission>;
  readonly triggers: Collection<Trigger>;
  readonly reactions: Collection<ReactionSwitch>;
  readonly positions: Collection<ReadPosition>;
  readonly garbageCollections: Collection<GarbageCollectionRecord>;
  /** By digest. */
  readonly blobMentions: Collection<StoredMentions>;
  /** By subject. */
  readonly holds: Collection<Hold>;
}

export const openCollections = (store: DocumentStore): PipelineCollections => ({
  runs: store.collection({
    name: 'runs',
    indexes: [
      { path: 'projectName', type: 'text' },
      { path: 'profile', type: 'text' },
      { path: 'state', type: 'text' },
      { path: 'createdAt', type: 'number' },
      { path: 'open', type: 'number' },
      { path: 'traceId', type: 'text' },
      { path: 'waitingFor', type: 'text' },
      { path: 'causedBy', type: 'text' },
      { map: 'fingerprints', values: 'text' },
    ],
  }),
  projects: store.collection({ name: 'projects' }),
  submissions: store.collection({ name: 'submissions' }),
  triggers: store.collection({ name: 'triggers', indexes: [{ path: 'project', type: 'text' }] }),
  reactions: store.collection({ name: 'reactions' }),
  positions: store.collection({ name: 'read_positions' }),
  garbageCollections: store.collection({
    name: 'garbage_collections',
    indexes: [
      { path: 'slot', type: 'text', unique: true },
      { path: 'startedAt', type: 'number' },
    ],
  }),
  blobMentions: store.collection({ name: 'blob_mentions' }),
  holds: store.collection({ name: 'holds' }),
});

export interface ApprovalAnswer {
  readonly verdict: 'approved' | 'not_needed' | 'pending' | 'rejected';
  readonly reason: string;
}

/** What the registry says of a model version that is to be deployed under an alias. */
export type AskApproval = (version: ModelVersionRef, alias: string) => Promise<ApprovalAnswer>;

/** The model version that serves as `production` (`flights/3`), or `none`. */
export type FindChampion = (model: string) => Promise<string>;

export interface ModelVersionRef {
  readonly model: string;
  readonly version: number;
}

/** Events of what people change apart from runs. */
export interface ChangeMessages {
  projectPushed(project: Project, actor: Actor | undefined): NewMessage;
  triggerCreated(trigger: Trigger, actor: Actor | undefined): NewMessage;
  triggerSwitched(trigger: Trigger, actor: Actor | undefined): NewMessage;
  triggerDeleted(trigger: Trigger, actor: Actor | undefined): NewMessage;
  reactionSwitched(reaction: Reaction, actor: Actor | undefined): NewMessage;
}

export interface PipelineContext {
  readonly collections: PipelineCollections;
  readonly blobs: BlobStore;
  readonly askApproval: AskApproval;
  readonly findChampion: FindChampion;
  /** Messages that make effects known outside. */
  readonly messagesOf: (run: PipelineRun, effects: readonly Effect[]) => readonly NewMessage[];
  readonly changeMessages: ChangeMessages;
  readonly emitTrace: (run: PipelineRun) => void;
  readonly newId: (prefix: string) => string;
  readonly newTrace: () => { readonly traceId: string; readonly sampled: boolean };
  readonly newSpanId: () => string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly patience: Patience;
  /** How long runs are kept. */
  readonly retention: RetentionSettings;
  readonly log: Logger;
  /** Sees to it that a run goes on; `run` is how it has just been stored. Set once the driver exists. */
  readonly wake: (runId: string, run: PipelineRun) => void;
}
