import type { EventDefinition, MessageCodec } from '@millrace/contracts';

/** An event as a consumer sees it. */
export interface Event<T> {
  readonly id: string;
  readonly type: string;
  readonly definition: EventDefinition<T>;
  /** `registry.model_version/flights/3` */
  readonly entity: string;
  /** CloudEvents subject: the entity's key. */
  readonly key: string;
  /** Position among the entity's events, from 1. */
  readonly sequence: number;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly data: T;
  /** All CloudEvents and trace headers as received. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * What a handler says of a message; one place (`settle.ts`) turns it into ack, nak or term.
 *
 * - `done`: the effect is stored.
 * - `ignored`: nothing to do, and nothing done, with the reason for the log; its position is recorded later than the ack.
 * - `retry`: try later; counts towards the dead-letter limit unless a dependency is down (`unavailable`).
 * - `reject`: it can never succeed; goes to the dead letters at once.
 */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'ignored'; readonly reason: string }
  | {
      readonly kind: 'retry';
      readonly reason: string;
      readonly delayMs?: number;
      readonly unavailable?: boolean;
    }
  | { readonly kind: 'reject'; readonly reason: string };

/** What the bus needs of a store to record that an event was handled. `Inbox` of `@millrace/store` fits. */
export interface InboxPort {
  /** Other processes may handle events of the same consumers. */
  readonly isShared: boolean;
  position(consumer: string, entity: string): Promise<number>;
  /** Changes nothing where the position, or a later one, is recorded; cheap where a commit of this process has just done it. */
  advance(position: HandledPosition): Promise<void>;
  /** Records what `positions` gives when it is written, within so many milliseconds, with other commits where some come. */
  advanceSoon(positions: () => readonly HandledPosition[], withinMs: number): Promise<void>;
}

/** Give it to `commit` (`handled`) so that effect and position are one write. */
export interface HandledPosition {
  readonly consumer: string;
  readonly entity: string;
  readonly sequence: number;
}

export interface EventContext {
  readonly handled: HandledPosition;
  /** Aborted when the bus drains and the grace period ends. */
  readonly signal: AbortSignal;
}

export type EventHandler<T> = (event: Event<T>, context: EventContext) => Promise<Outcome>;

/** Pairs a definition with its handler, keeping the payload's type. */
export interface Subscription {
  readonly definition: EventDefinition<unknown>;
  readonly handle: EventHandler<never>;
}

/** Pairs a definition with its handler. */
export const subscription = <T>(definition: EventDefinition<T>, handle: EventHandler<T>): Subscription => ({
  definition,
  handle,
});

/** A durable consumer of events. All types of an entity are delivered, so that its sequence has no gaps. */
export interface EventConsumerOptions {
  /** Durable name, `<service>-<purpose>`; also the name in the inbox. */
  readonly name: string;
  readonly subscriptions: readonly Subscription[];
  readonly inbox: InboxPort;
  /** Messages delivered and not yet settled; default 256. */
  readonly maxInFlight?: number;
  /** Handler failures before the dead letters; default 5. */
  readonly maxAttempts?: number;
  /** How long the broker waits for a sign of life before it delivers again, ms; default 30,000. */
  readonly ackWaitMs?: number;
  /** Deliveries before the broker gives up and the message goes to the dead letters; default 50. */
  readonly maxDeliveries?: number;
  /** How long a missing event may be late before its owner is asked for it, ms; default 100. */
  readonly graceMs?: number;
  /** How often to check that stream and consumer still exist and fit, ms; default 15,000. */
  readonly checkMs?: number;
  /** How often to ask the owners whether something never came, ms; default 30,000. */
  readonly reconcileMs?: number;
}

/** An event as it came, undecoded: for who passes it on, whatever its type. */
export interface RawEvent {
  readonly id: string;
  readonly type: string;
  readonly entity: string;
  readonly key: string;
  /** Position among the entity's events, from 1. */
  readonly sequence: number;
  /** ISO 8601, UTC. */
  readonly time: string;
  /** All CloudEvents and trace headers as received. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A durable consumer of every event of every service, those of types unknown to this version too. */
export interface ForwardingOptions
  extends Pick<EventConsumerOptions, 'name' | 'inbox' | 'maxInFlight' | 'ackWaitMs' | 'graceMs' | 'checkMs'> {
  readonly handle: (event: RawEvent, context: EventContext) => Promise<Outcome>;
}

/** A command to do one piece of long work, taken by exactly one worker at a time. */
export interface WorkContext {
  /** 1 on first delivery. */
  readonly delivery: number;
  /** Aborted on drain, or when the message can no longer be kept (lease lost). */
  readonly signal: AbortSignal;
  readonly headers: Readonly<Record<string, string>>;
}

export interface WorkerOptions<T> {
  /** Durable name of the queue consumer. */
  readonly name: string;
  /** `millrace.step.training.>` */
  readonly subject: string;
  readonly codec: MessageCodec<T>;
  /** How many at once in this process. */
  readonly concurrency: number;
  readonly handle: (command: T, context: WorkContext) => Promise<Outcome>;
  /** Handler failures before the dead letters; default 5. */
  readonly maxAttempts?: number;
  /** How long after a worker's last sign of life another gets its command, ms; default 30,000. */
  readonly ackWaitMs?: number;
  /** Deliveries before the broker gives up and the command goes to the dead letters; default 20. */
  readonly maxDeliveries?: number;
  /** How often to check that stream and consumer still exist and fit, ms; default 15,000. */
  readonly checkMs?: number;
}

/** A durable consumer of records: binary messages without order or sequence, such as inference batches. */
export interface RecordConsumerOptions {
  /** Durable name, `<service>-<purpose>`. */
  readonly name: string;
  readonly stream: 'INFERENCE' | 'SPANS';
  /** Wildcards allowed; default all of the stream. */
  readonly subject?: string;
  /** How many at once in this process; default 8. */
  readonly concurrency?: number;
  /** Must be idempotent: a record may come twice. */
  readonly handle: (record: StreamRecord, context: WorkContext) => Promise<Outcome>;
  readonly maxAttempts?: number;
  readonly ackWaitMs?: number;
  readonly checkMs?: number;
}

export interface StreamRecord {
  readonly subject: string;
  readonly data: Uint8Array;
  /** Position in the stream. */
  readonly streamSequence: number;
  /** De-duplication id given when it was published; empty when none was. */
  readonly id: string;
}

export interface Running {
  /**
   * Takes no more messages, lets those under way end, then resolves. After `graceMs` (default 10,000) the signal
   * of those that still run aborts.
   */
  stop(options?: { readonly graceMs?: number }): Promise<void>;
}

/** A dead letter: the message as it was, and why it failed. */
export interface DeadLetter {
  /** Sequence in the stream `DEAD`. */
  readonly sequence: number;
  readonly subject: string;
  readonly consumer: string;
  readonly reason: string;
  readonly attempts: number;
  readonly time: string;
  /** Failures so far, oldest first. */
  readonly history: readonly { readonly time: string; readonly reason: string }[];
  readonly headers: Readonly<Record<string, string>>;
  /** As text, or in base64 where it is not UTF-8: see `bodyEncoding`. */
  readonly body: string;
  readonly bodyEncoding: 'utf8' | 'base64';
  /** Only the first part of the body was kept: it cannot be replayed. */
  readonly truncated: boolean;
  readonly replayedAt?: string;
}
