import { crashPoint } from '@millrace/crash-points';
import type { Bus } from './bus.ts';
import type { ConsumerPositions } from './consumer-positions.ts';
import { CrashCounter } from './crash-counter.ts';
import { type Failure, publishDeadLetter } from './dead-letter-record.ts';
import { decodeEvent, type EventDelivery } from './event-delivery.ts';
import { type Handled, handleUntilSettled } from './handling.ts';
import type {
  EventConsumerOptions,
  ForwardingOptions,
  HandledPosition,
  Outcome,
  Subscription,
} from './port.ts';
import type { Attempt } from './settle.ts';
import { consuming } from './tracing.ts';
import { backoffMs, sleep } from './waiting.ts';

export interface EventHandlingOptions {
  readonly bus: Bus;
  readonly options: Required<EventConsumerOptions>;
  /** Aborted when nothing new is to be begun. */
  readonly stopping: AbortSignal;
  /** Aborted when handlers under way have had their time. */
  readonly graceEnded: AbortSignal;
  /** Takes every event undecoded, instead of the subscriptions' handlers. */
  readonly forward?: ForwardingOptions['handle'];
  readonly positions: ConsumerPositions;
}

/**
 * Final word on an event whose position is recorded, or soon will be where it was ignored; `released` when stopping cut the
 * handling short.
 */
export type EventSettlement =
  | { readonly kind: 'ack' }
  | { readonly kind: 'dead'; readonly reason: string }
  | { readonly kind: 'released' };

/** Takes one event from its handler's attempts to its position, recorded at once or soon, and where need be to the dead letters. */
export class EventHandling {
  readonly #bus: Bus;
  readonly #options: Required<EventConsumerOptions>;
  readonly #byType: ReadonlyMap<string, Subscription>;
  readonly #crashes: CrashCounter;
  readonly #forward: ForwardingOptions['handle'] | undefined;
  readonly #stopping: AbortSignal;
  readonly #graceEnded: AbortSignal;
  readonly #positions: ConsumerPositions;

  constructor({ bus, options, stopping, graceEnded, forward, positions }: EventHandlingOptions) {
    this.#forward = forward;
    this.#bus = bus;
    this.#options = options;
    this.#byType = new Map(options.subscriptions.map((each) => [each.definition.type, each]));
    this.#crashes = new CrashCounter(options.inbox, options.name);
    this.#stopping = stopping;
    this.#graceEnded = graceEnded;
    this.#positions = positions;
  }

  /** Whether a handler is there for the type; others come because an entity's events come all. */
  handles(type: string): boolean {
    return this.#forward !== undefined || this.#byType.has(type);
  }

  async handle(delivery: EventDelivery, handled: HandledPosition): Promise<EventSettlement> {
    const history: Failure[] = [];
    const settlement = await this.#attemptUntilSettled(delivery, handled, history);
    if (settlement.kind === 'released') return settlement;
    if (settlement.kind === 'ack' && settlement.ignored !== undefined) {
      this.#positions.pass(handled);
      return { kind: 'ack' };
    }
    const recorded =
      (settlement.kind !== 'dead' || (await this.bury(delivery, settlement.reason, history))) &&
      (await this.persist(() => this.#positions.advance(handled)));
    if (!recorded) return { kind: 'released' };
    return settlement.kind === 'dead' ? settlement : { kind: 'ack' };
  }

  /** Stores the dead letter of an event; resolves `false` when stopping. */
  bury(delivery: EventDelivery, reason: string, history: readonly Failure[]): Promise<boolean> {
    const letter = {
      id: `${delivery.attributes.id}-${delivery.message?.seq ?? 'refilled'}`,
      consumer: this.#options.name,
      subject: delivery.subject,
      reason,
      attempts: Math.max(1, history.length),
      history,
      headers: delivery.rawHeaders,
      body: delivery.body,
    };
    return this.persist(() => publishDeadLetter(this.#bus.internals, letter));
  }

  /** Repeats a write until it succeeds; resolves `false` when stopping. */
  async persist(write: () => Promise<void>): Promise<boolean> {
    for (let failures = 0; ; failures += 1) {
      try {
        await write();
        return true;
      } catch (thrown) {
        if (this.#stopping.aborted) return false;
        this.#bus.internals.logger.warn({ err: thrown }, 'recording a settlement failed; will try again');
        await sleep(backoffMs(failures, 100, 10_000), this.#stopping);
      }
    }
  }

  async #attemptUntilSettled(
    delivery: EventDelivery,
    handled: HandledPosition,
    history: Failure[],
  ): Promise<Handled> {
    const { id, entity, sequence } = delivery.attributes;
    const work = () =>
      handleUntilSettled({
        attempt: () => this.#attempt(delivery, handled),
        maxAttempts: this.#options.maxAttempts,
        history,
        // The entity's later events must not overtake this one.
        retryInPlace: true,
        stopping: this.#stopping,
        logger: this.#bus.internals.logger,
        logFields: { consumer: this.#options.name, event: id, entity, sequence },
      });
    if (this.#forward !== undefined) return work();
    const attempts = await this.#crashes.run<Handled>(
      { key: `${handled.entity}#${sequence}`, deliveryCount: delivery.deliveryCount },
      work,
      (result) => result.kind === 'released',
    );
    return 'result' in attempts
      ? attempts.result
      : { kind: 'dead', reason: `its handling ended the process ${attempts.crashed} times` };
  }

  async #attempt(delivery: EventDelivery, handled: HandledPosition): Promise<Attempt> {
    crashPoint('mid-handling', delivery.attributes.entity);
    if (this.#forward !== undefined) return this.#pass(this.#forward, delivery, handled);
    const { id, type } = delivery.attributes;
    const found = this.#byType.get(type);
    if (found === undefined) return { outcome: { kind: 'ignored', reason: `no handler for ${type}` } };
    const destination = {
      nc: this.#bus.internals.nc,
      subject: delivery.subject,
      messageId: id,
      bodySize: delivery.body.length,
      consumer: this.#options.name,
      home: this.#bus.internals.home,
      attributes: { 'millrace.message.type': type },
    };
    try {
      const outcome = await consuming(destination, delivery.headers, async (): Promise<Outcome> => {
        const event = decodeEvent(delivery, found.definition);
        return found.handle(event as never, { handled, signal: this.#graceEnded });
      });
      return { outcome };
    } catch (thrown) {
      return { thrown };
    }
  }

  async #pass(
    forward: ForwardingOptions['handle'],
    { attributes, headers, body }: EventDelivery,
    handled: HandledPosition,
  ): Promise<Attempt> {
    try {
      const context = { handled, signal: this.#graceEnded };
      return { outcome: await forward({ ...attributes, headers, body }, context) };
    } catch (thrown) {
      return { thrown };
    }
  }
}
