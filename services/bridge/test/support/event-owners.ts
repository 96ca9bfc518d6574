import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bus, connectBus, type Running, serveRefill, startRelay } from '@millrace/bus';
import type { EventDefinition } from '@millrace/contracts';
import { eventMessage } from '@millrace/service-kit';
import { type DocumentStore, openSqliteStore } from '@millrace/store';

interface Owner {
  readonly store: DocumentStore;
  readonly bus: Bus;
  readonly parts: readonly Running[];
}

/** Stores, relays and refills of services that publish events, one of each per service. */
export class EventOwners {
  readonly #dataDir: string;
  readonly #natsUrl: string;
  readonly #opened = new Map<string, Promise<Owner>>();

  constructor(dataDir: string, natsUrl: string) {
    this.#dataDir = dataDir;
    this.#natsUrl = natsUrl;
  }

  open(service: string): Promise<Owner> {
    const opened = this.#opened.get(service) ?? this.#open(service);
    this.#opened.set(service, opened);
    return opened;
  }

  async #open(service: string): Promise<Owner> {
    const directory = join(this.#dataDir, 'owners');
    await mkdir(directory, { recursive: true });
    const store = await openSqliteStore({ path: join(directory, `${service}.sqlite`), service });
    const bus = await connectBus({ url: this.#natsUrl, service });
    const relay = startRelay({ bus, outbox: store.outbox });
    const refill = serveRefill({ bus, outbox: store.outbox });
    return { store, bus, parts: [relay, refill] };
  }

  /** Commits an event with the entity's document. */
  async publish<T>(
    definition: EventDefinition<T>,
    key: string,
    data: T,
    headers?: { readonly traceparent: string },
  ): Promise<void> {
    const { store } = await this.open(definition.service);
    const message = eventMessage(definition, key, data, headers);
    await store
      .collection<{ readonly count: number }>({ name: 'things' })
      .update(`${definition.entity}/${key}`, (current) => ({
        document: { count: (current?.document.count ?? 0) + 1 },
        messages: [message],
      }));
  }

  /** Events committed that are not yet on the stream. */
  async pending(): Promise<number> {
    const owners = await Promise.all(this.#opened.values());
    const stats = await Promise.all(owners.map(({ store }) => store.outbox.stats()));
    return stats.reduce((sum, { pending }) => sum + pending, 0);
  }

  async close(): Promise<void> {
    for (const { store, bus } of await Promise.all(this.#opened.values())) {
      await bus.drain();
      await store.close();
    }
  }
}
