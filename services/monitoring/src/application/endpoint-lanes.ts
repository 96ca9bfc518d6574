import type { Outcome } from '@millrace/bus';
import type { Label } from '@millrace/contracts/monitoring';
import { NotFound } from '@millrace/errors';
import { expireEarlyLabels } from './early-labels.ts';
import { EndpointLane } from './endpoint-lane.ts';
import type { Dependencies } from './ports.ts';
import type { ReceivedBatch } from './received-batch.ts';
import { type JoinedLabels, readLabels } from './submit-labels.ts';

const tickMs = 1_000;
const expiryMs = 600_000;

/** The monitored endpoints' lanes, and the clock that closes windows to which no more records come. */
export class EndpointLanes {
  readonly #deps: Dependencies;
  readonly #lanes = new Map<string, EndpointLane>();
  #ticking: NodeJS.Timeout | undefined;
  #expireAt = 0;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** Throws `Invalid` when the batch's records cannot be read. */
  async applyBatch(batch: ReceivedBatch): Promise<Outcome> {
    if ((await this.#deps.collections.monitors.get(batch.endpoint)) === undefined) {
      return { kind: 'ignored', reason: 'nobody monitors this endpoint' };
    }
    return this.#lane(batch.endpoint).apply(batch);
  }

  /** Throws `NotFound` without a monitor, `Invalid` on a bad label; nothing is joined then. */
  async submitLabels(endpoint: string, labels: readonly Label[]): Promise<JoinedLabels> {
    const monitor = await this.#deps.collections.monitors.get(endpoint);
    if (monitor === undefined) throw new NotFound(`nobody monitors the endpoint "${endpoint}"`);
    return this.#lane(endpoint).submitLabels(readLabels(labels, monitor.document));
  }

  async start(): Promise<void> {
    for await (const { key } of this.#deps.collections.monitors.scan()) this.#lane(key);
    this.#ticking = setInterval(() => void this.#tick(), tickMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#ticking);
    await Promise.all([...this.#lanes.values()].map((lane) => lane.stop()));
  }

  async #tick(): Promise<void> {
    const { collections, now, log } = this.#deps;
    try {
      await Promise.all([...this.#lanes.values()].map((lane) => lane.tick()));
      if (now() < this.#expireAt) return;
      this.#expireAt = now() + expiryMs;
      await expireEarlyLabels(collections, now());
    } catch (thrown) {
      log.error({ err: thrown }, 'the clock of the windows failed');
    }
  }

  #lane(endpoint: string): EndpointLane {
    const lane = this.#lanes.get(endpoint) ?? new EndpointLane(endpoint, this.#deps);
    this.#lanes.set(endpoint, lane);
    return lane;
  }
}
