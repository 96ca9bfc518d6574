import { randomUUID } from 'node:crypto';
import { type Bus, connectBus, consumeRecords, type Running } from '@millrace/bus';
import { decodeSpanBatch, type SpanRecord } from '@millrace/telemetry';

/** Every span that the services of an installation published, from the first. */
export class CollectedSpans {
  readonly #spans = new Map<string, SpanRecord>();
  readonly #bus: Bus;
  readonly #consumer: Running;

  private constructor(bus: Bus) {
    this.#bus = bus;
    this.#consumer = consumeRecords(bus, {
      name: `test-${randomUUID()}`,
      stream: 'SPANS',
      handle: async ({ data }) => {
        for (const span of decodeSpanBatch(data)) this.#spans.set(`${span.traceId}/${span.spanId}`, span);
        return { kind: 'done' };
      },
    });
  }

  static async open(natsUrl: string): Promise<CollectedSpans> {
    return new CollectedSpans(await connectBus({ url: natsUrl, service: 'test-spans' }));
  }

  all(): readonly SpanRecord[] {
    return [...this.#spans.values()];
  }

  ofTrace(traceId: string): readonly SpanRecord[] {
    return this.all().filter((span) => span.traceId === traceId);
  }

  async stop(): Promise<void> {
    await this.#consumer.stop();
    await this.#bus.drain();
  }
}
