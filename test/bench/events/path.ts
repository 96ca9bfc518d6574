import { type Bus, consumeEvents, serveRefill, startRelay, subscription } from '@millrace/bus';
import { defineEvent, entityId, strictCodec } from '@millrace/contracts';
import { AliasMoved } from '@millrace/contracts/registry';
import type { DocumentStore, Json } from '@millrace/store';

/** A real message, so that its check and its reading are part of the path. */
const definition = defineEvent(
  'millrace.bench.sample.taken.v1',
  strictCodec(AliasMoved, 'millrace.registry.v1.AliasMoved'),
);

/** The n-th event's payload. */
export const payloadOf = (n: number): Json =>
  AliasMoved.toJSON(
    AliasMoved.fromPartial({
      move: { model: 'flights', alias: 'production', toVersion: n, at: '2026-01-02T03:04:05.678Z' },
      modelDigest: `sha256:${'0'.repeat(64)}`,
    }),
  ) as Json;

/** Entities that the changes go round: each one's events follow one another. */
export const entities = 500;

/** Milliseconds of a clock that all processes of the machine share. */
export const sharedClockMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** What took effect, and when. */
export interface Effects {
  /** `sharedClockMs()` at the end of each effect, by number; twice for one that took effect twice. */
  readonly ended: readonly (readonly [n: number, at: number])[];
  /** Effects in the consumer's store. */
  readonly stored: number;
}

/** The consuming side: each event's effect and the inbox position are one commit of its own store. */
export interface Consumer {
  /** Effects so far. */
  handled(): number;
  effects(): Promise<Effects>;
  close(): Promise<void>;
}

export const startConsumer = (bus: Bus, store: DocumentStore): Consumer => {
  const effects = store.collection<{ readonly n: number }>({ name: 'effects' });
  const ended: [number, number][] = [];
  const handle = subscription(definition, async ({ data }, { handled }) => {
    const n = data.move?.toVersion ?? 0;
    await effects.commit({ key: String(n), expected: 0, document: { n }, handled });
    ended.push([n, sharedClockMs()]);
    return { kind: 'done' };
  });
  consumeEvents(bus, { name: 'bench', inbox: store.inbox, maxInFlight: 1_024, subscriptions: [handle] });
  return {
    handled: () => ended.length,
    effects: async () => ({ ended, stored: await effects.count() }),
    close: () => store.close(),
  };
};

/**
 * A producer and a consumer, each with a durable store of its own, with everything between them: document and event in
 * one commit, relay, JetStream, consumer.
 */
export class EventPath {
  readonly #producer: DocumentStore;
  readonly #consumer: Consumer;
  readonly #samples;
  readonly #versions = new Map<string, number>();
  /** `sharedClockMs()` at the call of each change's commit. */
  readonly #calledAt: number[] = [];

  private constructor(producer: DocumentStore, consumer: Consumer) {
    this.#producer = producer;
    this.#consumer = consumer;
    this.#samples = producer.collection<{ readonly n: number }>({ name: 'samples' });
  }

  static start(bus: Bus, producer: DocumentStore, consumer: Consumer): EventPath {
    const { outbox } = producer;
    startRelay({ bus, outbox });
    serveRefill({ bus, outbox });
    return new EventPath(producer, consumer);
  }

  /** The n-th change of state with its event; resolves when it is durable. */
  async change(n: number): Promise<void> {
    const key = String(n % entities);
    const expected = this.#versions.get(key) ?? 0;
    this.#versions.set(key, expected + 1);
    const { subject, type } = definition;
    this.#calledAt[n] = sharedClockMs();
    const data = payloadOf(n);
    await this.#samples.commit({
      key,
      expected,
      document: { n },
      messages: [{ subject, type, entity: entityId(definition, key), key, data }],
    });
  }

  async allHandled(count: number): Promise<void> {
    while (this.#consumer.handled() < count) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** Milliseconds from the call of the commit to the end of the consumer's effect, of the changes from `first` on. */
  async latenciesFrom(first: number): Promise<readonly number[]> {
    const { ended } = await this.#consumer.effects();
    return ended.filter(([n]) => n >= first).map(([n, at]) => at - (this.#calledAt[n] ?? Number.NaN));
  }

  /** How the effects differ from one for each of that many changes. */
  async mismatch(count: number): Promise<{ readonly lost: number; readonly doubled: number }> {
    const { ended, stored } = await this.#consumer.effects();
    return { lost: count - stored, doubled: ended.length - new Set(ended.map(([n]) => n)).size };
  }

  async close(): Promise<void> {
    await this.#producer.close();
    await this.#consumer.close();
  }
}
