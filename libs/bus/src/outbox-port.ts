/** A message of a service's outbox, as the relay and the refill need it. `OutboxMessage` of `@millrace/store` fits. */
export interface StoredMessage {
  readonly id: string;
  /** Position in the outbox; ascending in commit order. */
  readonly position: number;
  /** 1, 2, 3 … within `entity`; 0 for a command. */
  readonly sequence: number;
  /** ISO 8601 time of the commit, UTC. */
  readonly time: string;
  readonly subject: string;
  readonly type: string;
  /** Absent for a command. */
  readonly entity?: string;
  readonly key: string;
  /** The payload as JSON text. */
  readonly json: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the bus needs of a store's outbox. `Outbox` of `@millrace/store` fits. */
export interface OutboxPort {
  /** Unsent messages in commit order but for those at the positions `except`. */
  pending(limit: number, except?: ReadonlySet<number>): Promise<readonly StoredMessage[]>;
  markSent(positions: readonly number[]): Promise<void>;
  /** Calls back after a commit that added messages; returns how to stop it. */
  onCommit(listener: () => void): () => void;
  /** Events of an entity with `after < sequence <= upTo`, sent or not, in order. */
  history(entity: string, after: number, upTo?: number): Promise<readonly StoredMessage[]>;
  /** Sent messages from a time on, in commit order, beginning after a position. */
  sentSince(time: string, afterPosition: number, limit: number): Promise<readonly StoredMessage[]>;
}
