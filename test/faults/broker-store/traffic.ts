import { join } from 'node:path';
import {
  type Bus,
  connectBus,
  consumeEvents,
  consumeRecords,
  type DeadLetter,
  listDeadLetters,
  type Running,
  serveRefill,
  startRelay,
  subscription,
  work,
} from '@millrace/bus';
import { defineEvent, type MessageCodec } from '@millrace/contracts';
import { type DocumentStore, openSqliteStore } from '@millrace/store';
import { retried } from '../../support/calls.ts';

interface Payload {
  readonly number: number;
}

const codec: MessageCodec<Payload> = {
  encode: () => ({ finish: () => new Uint8Array() }),
  decode: () => ({ number: 0 }),
  fromJSON: (json) => {
    const { number } = json as Partial<Payload>;
    if (typeof number !== 'number') throw new TypeError('number is not a number');
    return { number };
  },
  toJSON: (message) => message,
};

const changed = defineEvent<Payload>('millrace.testing.thing.changed.v1', codec);
const service = 'testing';
const entities = 15;
const padding = 'x'.repeat(150);
/** Numbers of commands, and of events, that can never be handled. */
const rejected = (number: number): boolean => number % 10 === 0;

interface Effect {
  readonly times: number;
}

/** How many of each kind were sent, acknowledged by the broker, and had their effect. */
export interface Counts {
  /** Without those that go to the dead letters. */
  readonly events: number;
  readonly commands: number;
  readonly records: number;
  readonly deadEvents: number;
  readonly deadCommands: number;
}

/**
 * A small platform over one broker: an owner with an outbox of events and commands, and consumers with stores of their
 * own, all as the services have them.
 */
export class Traffic {
  readonly bus: Bus;
  readonly #owner: DocumentStore;
  readonly #consumer: DocumentStore;
  readonly #background: Running[];
  #consuming: Running[] = [];
  #events = 0;
  #commands = 0;
  #records = 0;
  /** Deliveries of each command and record: they may come twice, their effect must be safe to repeat. */
  readonly #done = new Set<number>();
  readonly #handledRecords = new Set<string>();

  private constructor(bus: Bus, owner: DocumentStore, consumer: DocumentStore) {
    this.bus = bus;
    this.#owner = owner;
    this.#consumer = consumer;
    this.#background = [
      startRelay({ bus, outbox: owner.outbox }),
      serveRefill({ bus, outbox: owner.outbox }),
    ];
  }

  static async open(url: string, directory: string): Promise<Traffic> {
    const bus = await connectBus({ url, service });
    const owner = await openSqliteStore({ path: join(directory, 'owner.db'), service });
    const consumer = await openSqliteStore({ path: join(directory, 'consumer.db'), service: 'consuming' });
    return new Traffic(bus, owner, consumer);
  }

  /** Commits events, two for each command, and publishes records. Resolves when the broker acknowledged all. */
  async send(rounds: number): Promise<void> {
    const things = this.#owner.collection<Effect>({ name: 'things' });
    for (let round = 0; round < rounds; round += 1) {
      await Promise.all(
        Array.from({ length: entities }, (_, index) => {
          const key = `thing-${index}`;
          this.#events += 1;
          const number = this.#events;
          const event = {
            subject: changed.subject,
            type: changed.type,
            entity: `testing.thing/${key}`,
            key,
            data: { number, padding },
          };
          const commands = number % 4 === 0 ? [this.#command()] : [];
          return things.update(key, (current) => ({
            document: { times: (current?.document.times ?? 0) + 1 },
            messages: [event, ...commands],
          }));
        }),
      );
      this.#records += 1;
      const id = `record-${this.#records}`;
      await retried('the record', () =>
        this.bus.publishInference('millrace.inference.things', Buffer.from(id), { id }),
      );
    }
    while ((await this.#owner.outbox.stats()).pending > 0) await new Promise((r) => setTimeout(r, 20));
  }

  #command() {
    this.#commands += 1;
    const number = this.#commands;
    return {
      subject: 'millrace.step.testing.train',
      type: 'millrace.testing.command',
      key: `command-${number}`,
      data: { number, padding },
    };
  }

  consume(): void {
    const effects = this.#consumer.collection<Effect>({ name: 'effects' });
    this.#consuming = [
      consumeEvents(this.bus, {
        name: 'testing-things',
        inbox: this.#consumer.inbox,
        ackWaitMs: 1_000,
        checkMs: 500,
        subscriptions: [
          subscription(changed, async ({ data }, { handled }) => {
            if (rejected(data.number)) return { kind: 'reject', reason: 'it can never be handled' };
            await effects.update(
              String(data.number),
              (current) => ({ document: { times: (current?.document.times ?? 0) + 1 } }),
              { handled },
            );
            return { kind: 'done' };
          }),
        ],
      }),
      work(this.bus, {
        name: 'testing-steps',
        subject: 'millrace.step.testing.>',
        codec,
        concurrency: 4,
        ackWaitMs: 1_000,
        checkMs: 500,
        handle: async ({ number }) => {
          this.#done.add(number);
          return rejected(number) ? { kind: 'reject', reason: 'it can never be done' } : { kind: 'done' };
        },
      }),
      consumeRecords(this.bus, {
        name: 'testing-records',
        stream: 'INFERENCE',
        ackWaitMs: 1_000,
        checkMs: 500,
        handle: async ({ id }) => {
          this.#handledRecords.add(id);
          return { kind: 'done' };
        },
      }),
    ];
  }

  async stopConsuming(): Promise<void> {
    await Promise.all(this.#consuming.splice(0).map((running) => running.stop({ graceMs: 100 })));
  }

  /** What was sent; all of it was acknowledged by the broker when `send` resolved. */
  sent(): Counts {
    const rejectedUpTo = (count: number) => Math.floor(count / 10);
    return {
      events: this.#events - rejectedUpTo(this.#events),
      commands: this.#commands,
      records: this.#records,
      deadEvents: rejectedUpTo(this.#events),
      deadCommands: rejectedUpTo(this.#commands),
    };
  }

  /** What had its effect so far. Throws when an event had it twice. */
  async found(): Promise<Counts> {
    const effects = this.#consumer.collection<Effect>({ name: 'effects' });
    let events = 0;
    for (let number = 1; number <= this.#events; number += 1) {
      const times = (await effects.get(String(number)))?.document.times ?? 0;
      if (times > 1) throw new Error(`event ${number} had its effect ${times} times`);
      events += times;
    }
    const letters = await listDeadLetters(this.bus, { limit: 10_000 });
    return {
      events,
      commands: this.#done.size,
      records: this.#handledRecords.size,
      deadEvents: bodiesOf(letters, 'testing-things').size,
      deadCommands: bodiesOf(letters, 'testing-steps').size,
    };
  }

  async close(): Promise<void> {
    await this.stopConsuming();
    for (const running of this.#background) await running.stop();
    await this.bus.drain({ graceMs: 100 });
    await this.#owner.close();
    await this.#consumer.close();
  }
}

const bodiesOf = (letters: readonly DeadLetter[], consumer: string): ReadonlySet<string> =>
  new Set(letters.filter((letter) => letter.consumer === consumer).map(({ body }) => body));
