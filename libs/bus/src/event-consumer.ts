import { crashPoint } from '@millrace/crash-points';
import { Invalid, messageOf } from '@millrace/errors';
import { AckPolicy, type Consumer, DeliverPolicy, type JsMsg } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import type { Bus, DrainOptions, RunningPart } from './bus.ts';
import { attributesOf, headerRecord } from './cloud-events.ts';
import { ConsumerPositions } from './consumer-positions.ts';
import { publishDeadLetter } from './dead-letter-record.ts';
import { keepDurableConsumer } from './durable-consumer.ts';
import { EntityLane, type LaneContext } from './entity-lane.ts';
import { countDelivery, countRefilled } from './event-counters.ts';
import { deliveryOf, deliveryOfRefill, type EventDelivery } from './event-delivery.ts';
import { EventHandling } from './event-handling.ts';
import { buryExhausted, type ExhaustedMessage } from './exhausted.ts';
import { InProgress } from './in-progress.ts';
import type {
  EventConsumerOptions,
  ForwardingOptions,
  HandledPosition,
  Running,
  Subscription,
} from './port.ts';
import { type EntityHead, reconcile } from './recent-events.ts';
import { requestRefill } from './refill.ts';
import { closeWhenSilent } from './silence.ts';
import { checkToken, subjects } from './subjects.ts';
import { streams } from './topology.ts';

const withDefaults = (options: EventConsumerOptions): Required<EventConsumerOptions> => ({
  maxInFlight: 256,
  maxAttempts: 5,
  ackWaitMs: 30_000,
  graceMs: 100,
  checkMs: 15_000,
  reconcileMs: 30_000,
  maxDeliveries: 50,
  ...options,
});

/**
 * Consumes events of whole entities: each entity's in order and one at a time, different entities at once.
 * Every event takes effect once: duplicates are acknowledged, gaps refilled from the owner, failures retried,
 * and what can never be handled goes to the dead letters while the entity goes on. Throws `Invalid` on options
 * that cannot work.
 */
export const consumeEvents = (bus: Bus, options: EventConsumerOptions): Running => {
  checkToken(options.name, 'name');
  const types = new Set(options.subscriptions.map(({ definition }) => definition.type));
  if (types.size === 0) throw Invalid.field('subscriptions', 'must not be empty');
  if (types.size < options.subscriptions.length) {
    throw Invalid.field('subscriptions', 'must not name a type twice');
  }
  const consumer = new EventConsumer(bus, withDefaults(options));
  consumer.start();
  return consumer;
};

/**
 * Hands every event on, undecoded: each entity's in order and one at a time, different entities at once, gaps
 * refilled. What the code does does not depend on the event, so that no event is given up because its process ended
 * or for the number of its deliveries, only when `handle` rejects it.
 */
export const forwardEvents = (bus: Bus, { handle, ...options }: ForwardingOptions): Running => {
  checkToken(options.name, 'name');
  const unlimited = { maxDeliveries: -1, maxAttempts: Number.POSITIVE_INFINITY };
  const consumer = new EventConsumer(
    bus,
    withDefaults({ ...options, ...unlimited, subscriptions: [] }),
    handle,
  );
  consumer.start();
  return consumer;
};

class EventConsumer implements RunningPart {
  readonly #bus: Bus;
  readonly #options: Required<EventConsumerOptions>;
  readonly #filters: string[];
  readonly #handling: EventHandling;
  readonly #positions: ConsumerPositions;
  readonly #inProgress: InProgress;
  readonly #lanes = new Map<string, EntityLane>();
  /** What all lanes need: made once, since most events have a lane of their own. */
  readonly #laneContext: LaneContext;
  readonly #working = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #graceEnded = new AbortController();
  #finished: Promise<unknown> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  constructor(bus: Bus, options: Required<EventConsumerOptions>, forward?: ForwardingOptions['handle']) {
    this.#bus = bus;
    this.#options = options;
    this.#filters = forward === undefined ? entityFilters(options.subscriptions) : [`${subjects.events}.>`];
    this.#inProgress = new InProgress(options.ackWaitMs);
    this.#positions = new ConsumerPositions(options.name, options.inbox, bus.internals.logger);
    this.#handling = new EventHandling({
      bus,
      options,
      stopping: this.#stopping.signal,
      graceEnded: this.#graceEnded.signal,
      positions: this.#positions,
      ...(forward === undefined ? {} : { forward }),
    });
    this.#laneContext = this.#makeLaneContext();
  }

  get inFlight(): number {
    return this.#inProgress.size;
  }

  start(): void {
    const { internals } = this.#bus;
    const { name, ackWaitMs, checkMs, maxInFlight, maxDeliveries } = this.#options;
    const unregister = internals.register(this);
    const kept = { internals, checkMs, signal: this.#stopping.signal };
    const consuming = keepDurableConsumer({
      ...kept,
      stream: streams.events,
      declaration: {
        durable_name: name,
        filter_subjects: this.#filters,
        deliver_policy: DeliverPolicy.All,
        ack_policy: AckPolicy.Explicit,
        ack_wait: nanos(ackWaitMs),
        max_ack_pending: maxInFlight,
        max_deliver: maxDeliveries,
      },
      take: (consumer, lost) => this.#take(consumer, lost),
    });
    const burying = buryExhausted({
      ...kept,
      stream: streams.events,
      consumer: name,
      buried: (message) => this.#skip(message),
    });
    const reconciling = reconcile({
      bus: this.#bus,
      kinds: entityKinds(this.#options.subscriptions),
      periodMs: this.#options.reconcileMs,
      stopping: this.#stopping.signal,
      expect: (head) => this.#fetchMissing(head),
    });
    this.#finished = Promise.all([consuming, burying, reconciling]).finally(unregister);
  }

  /** Takes no more, lets handlers end within the grace time, and hands back what never began. */
  stop(options: DrainOptions = {}): Promise<void> {
    this.#stopped ??= this.#stop(options.graceMs ?? 10_000);
    return this.#stopped;
  }

  async #stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    const grace = setTimeout(() => this.#graceEnded.abort(), graceMs);
    await Promise.all(this.#working);
    clearTimeout(grace);
    await this.#positions.close();
    for (const message of this.#inProgress.close()) message.nak();
    await this.#finished;
  }

  async #take(consumer: Consumer, lost: AbortSignal): Promise<void> {
    const messages = await consumer.consume({
      max_messages: this.#options.maxInFlight,
      expires: 10_000,
      idle_heartbeat: 2_000,
      abort_on_missing_resource: true,
      callback: (message) => this.#receive(message),
    });
    void closeWhenSilent(messages);
    const close = () => void messages.close();
    lost.addEventListener('abort', close, { once: true });
    if (lost.aborted) close();
    await messages.closed();
    lost.removeEventListener('abort', close);
  }

  #receive(message: JsMsg): void {
    if (this.#stopping.signal.aborted) {
      message.nak();
      return;
    }
    this.#inProgress.hold(message);
    let delivery: EventDelivery;
    try {
      delivery = deliveryOf(message);
    } catch (thrown) {
      this.#track(this.#buryStray(message, messageOf(thrown)));
      return;
    }
    countDelivery(this.#options.name, delivery.deliveryCount);
    if (delivery.replayFor === this.#options.name) this.#track(this.#replay(delivery));
    else this.#addToLane(delivery);
  }

  #track(work: Promise<void>): void {
    this.#working.add(work);
    void work.finally(() => this.#working.delete(work));
  }

  #addToLane(delivery: EventDelivery): void {
    const { entity } = delivery.attributes;
    const present = this.#lanes.get(entity);
    if (present !== undefined) {
      present.add(delivery);
      return;
    }
    const lane = new EntityLane(entity, this.#laneContext);
    lane.add(delivery);
    this.#lanes.set(entity, lane);
    // Between its last look at what waits and this removal no message can come: both are one turn.
    this.#track(lane.run().finally(() => this.#lanes.delete(entity)));
  }

  #makeLaneContext(): LaneContext {
    const { name, graceMs } = this.#options;
    return {
      consumer: name,
      graceMs,
      stopping: this.#stopping.signal,
      logger: this.#bus.internals.logger,
      positions: this.#positions,
      acknowledge: (delivery) => this.#acknowledge(delivery),
      refill: (entity, after, upTo) => this.#refill(entity, after, upTo),
      handle: async (delivery) => {
        const { entity, sequence, type } = delivery.attributes;
        const handled = { consumer: name, entity, sequence };
        if (!this.#handling.handles(type)) {
          this.#positions.pass(handled);
          this.#acknowledge(delivery);
          return true;
        }
        return this.#handle(delivery, handled);
      },
    };
  }

  async #refill(entity: string, after: number, upTo: number) {
    // `registry.model_version/flights/3` is owned by `registry`.
    const owner = entity.slice(0, entity.indexOf('.'));
    const events = await requestRefill(this.#bus, owner, { entity, after, upTo });
    countRefilled(this.#options.name, events.length);
    return events;
  }

  /** Fetches what was sent of an entity and never came. What is on its way all the same counts as a duplicate then. */
  async #fetchMissing({ entity, sequence }: EntityHead): Promise<void> {
    if (this.#lanes.has(entity)) return;
    const position = await this.#positions.positionNow(entity);
    if (position >= sequence) return;
    const events = await this.#refill(entity, position, sequence);
    const fields = { consumer: this.#options.name, entity, after: position, got: events.length };
    this.#bus.internals.logger.warn(fields, 'events never came; asked their owner');
    for (const event of events) this.#addToLane(deliveryOfRefill(event, 1));
  }

  /** Resolves `false` when stopping cut it short; the message then stays held, to be handed back. */
  async #handle(delivery: EventDelivery, handled: HandledPosition): Promise<boolean> {
    const settlement = await this.#handling.handle(delivery, handled);
    if (settlement.kind === 'released') return false;
    if (settlement.kind === 'dead') this.#terminate(delivery.message, settlement.reason);
    else this.#acknowledge(delivery);
    return true;
  }

  #acknowledge({ message, attributes }: EventDelivery): void {
    if (message === undefined) return;
    crashPoint('before-ack', attributes.entity);
    message.ack();
    this.#inProgress.release(message);
  }

  #terminate(message: JsMsg | undefined, reason: string): void {
    if (message === undefined) return;
    message.term(reason.replaceAll(/\s+/g, ' ').slice(0, 200));
    this.#inProgress.release(message);
  }

  /**
   * Handles a replayed dead letter although its entity has gone on. A position of its own in the inbox makes
   * the replay take effect once.
   */
  async #replay(delivery: EventDelivery): Promise<void> {
    const { name, inbox } = this.#options;
    const { entity, sequence } = delivery.attributes;
    const handled = { consumer: `${name}!replay`, entity: `${entity}#${sequence}`, sequence: 1 };
    let position = 0;
    const known = await this.#handling.persist(async () => {
      position = await inbox.position(handled.consumer, handled.entity);
    });
    if (!known) return;
    if (position >= handled.sequence) this.#acknowledge(delivery);
    else await this.#handle(delivery, handled);
  }

  /** A message that is no event has no place in any entity's order. */
  async #buryStray(message: JsMsg, reason: string): Promise<void> {
    const letter = {
      id: String(message.seq),
      consumer: this.#options.name,
      subject: message.subject,
      reason,
      attempts: 1,
      history: [],
      headers: message.headers,
      body: message.data,
    };
    const buried = await this.#handling.persist(() => publishDeadLetter(this.#bus.internals, letter));
    if (buried) this.#terminate(message, reason);
  }

  /** Lets an entity go on after the server gave up on its next event. */
  async #skip(message: ExhaustedMessage): Promise<void> {
    const { entity, sequence } = attributesOf(headerRecord(message.header));
    if ((await this.#positions.positionNow(entity)) === sequence - 1) {
      await this.#positions.advance({ consumer: this.#options.name, entity, sequence });
    }
  }
}

/** `registry.alias` for each kind of entity. */
const entityKinds = (subscriptions: readonly Subscription[]): string[] => [
  ...new Set(subscriptions.map(({ definition: { service, entity } }) => `${service}.${entity}`)),
];

/** `millrace.evt.<service>.<entity>.>` for each entity, so that its sequence comes without gaps. */
const entityFilters = (subscriptions: readonly Subscription[]): string[] => [
  ...new Set(
    subscriptions.map(({ definition: { service, entity } }) => `${subjects.events}.${service}.${entity}.>`),
  ),
];
