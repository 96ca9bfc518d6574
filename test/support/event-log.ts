import { type Bus, connectBus, type TailedEvent } from '@millrace/bus';
import { until } from './wait.ts';

/** Every event on the stream `EVENTS`, from its first, as it comes; goes on when the broker was away. */
export class EventLog {
  readonly events: TailedEvent[] = [];
  readonly bus: Bus;
  readonly #end = new AbortController();
  readonly #reading: Promise<void>;

  private constructor(bus: Bus) {
    this.bus = bus;
    this.#reading = this.#read();
  }

  static async open(natsUrl: string): Promise<EventLog> {
    return new EventLog(await connectBus({ url: natsUrl, service: 'test' }));
  }

  /** The first event that fits; waits for it. */
  waitFor(what: string, fits: (event: TailedEvent) => boolean, deadlineMs?: number): Promise<TailedEvent> {
    return until(what, () => this.events.find(fits), deadlineMs);
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#reading;
    await this.bus.drain();
  }

  async #read(): Promise<void> {
    for await (const event of this.bus.readEvents({ since: 'all', signal: this.#end.signal })) {
      // A reader that resumed may be given the last one again.
      if (event.streamSequence > (this.events.at(-1)?.streamSequence ?? 0)) this.events.push(event);
    }
  }
}
