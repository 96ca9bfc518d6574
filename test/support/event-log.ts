import { type Bus, type BusOptions, connectBus, type TailedEvent } from '@millrace/bus';
import { patienceMs } from './wait.ts';

/** Every event on the stream `EVENTS`, from its first, as it comes; goes on when the broker was away. */
export class EventLog {
  readonly events: TailedEvent[] = [];
  readonly bus: Bus;
  readonly #end = new AbortController();
  readonly #reading: Promise<void>;
  readonly #watchers = new Set<(event: TailedEvent) => void>();

  private constructor(bus: Bus) {
    this.bus = bus;
    this.#reading = this.#read();
  }

  /** `identity` where the broker has users: of one that may read everything. */
  static async open(
    natsUrl: string,
    identity: Pick<BusOptions, 'credentials' | 'tls'> = {},
  ): Promise<EventLog> {
    // It looks on: what streams there are is not its to say.
    const topology = { keptBy: 'keeper' } as const;
    return new EventLog(
      await connectBus({
        url: natsUrl,
        service: 'test',
        topology,
        ...identity,
      }),
    );
  }

  /** The first event that fits, at once when it comes. Throws what was waited for when it is late. */
  async waitFor(
    what: string,
    fits: (event: TailedEvent) => boolean,
    deadlineMs = patienceMs,
  ): Promise<TailedEvent> {
    const known = this.events.find(fits);
    if (known !== undefined) return known;
    const { promise, resolve, reject } = Promise.withResolvers<TailedEvent>();
    const watch = (event: TailedEvent) => {
      if (fits(event)) resolve(event);
    };
    const late = new Error(`${what} did not come within ${deadlineMs / 1000} s`);
    const timer = setTimeout(() => reject(late), deadlineMs);
    this.#watchers.add(watch);
    return promise.finally(() => {
      clearTimeout(timer);
      this.#watchers.delete(watch);
    });
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#reading;
    await this.bus.drain();
  }

  async #read(): Promise<void> {
    for await (const event of this.bus.readEvents({ since: 'all', signal: this.#end.signal })) {
      // A reader that resumed may be given the last one again.
      if (event.streamSequence <= (this.events.at(-1)?.streamSequence ?? 0)) continue;
      this.events.push(event);
      for (const watch of this.#watchers) watch(event);
    }
  }
}
