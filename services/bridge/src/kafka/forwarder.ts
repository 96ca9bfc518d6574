import { setTimeout as sleep } from 'node:timers/promises';
import { eventLag } from '@millrace/bus';
import type { Collection } from '@millrace/store';
import { kafkaMessageOf } from './kafka-client.ts';
import { acquireLease, type LeaseDocument, systemClocks } from './lease.ts';
import { consumer, runTerm, type TermDependencies } from './run-term.ts';

export interface ForwarderDependencies extends TermDependencies {
  readonly leases: Collection<LeaseDocument>;
  /** This bridge's name in the lease. */
  readonly holder: string;
  readonly place: string | undefined;
}

/** Milliseconds between terms that failed: doubled from one to the next, up to the most. */
const pauseMs = { first: 250, most: 5_000 };
const lagIntervalMs = 5_000;

/** Takes the lease whenever it is free and forwards while it has it, until it is stopped. */
export class Forwarder {
  readonly #deps: ForwarderDependencies;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #lagTimer: NodeJS.Timeout | undefined;

  constructor(deps: ForwarderDependencies) {
    this.#deps = deps;
  }

  start(): void {
    this.#running = this.#run();
    this.#lagTimer = setInterval(() => void this.#measureLag(), lagIntervalMs);
    this.#lagTimer.unref();
  }

  /** Lets the batch under way end, within a few seconds, and gives the lease back. */
  async stop(): Promise<void> {
    clearInterval(this.#lagTimer);
    this.#stopping.abort();
    await this.#running;
    this.#deps.status.stop();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted; ) {
      const begun = performance.now();
      try {
        await this.#term(signal);
      } catch (thrown) {
        if (performance.now() - begun > 2 * pauseMs.most) failures = 0;
        const delayMs = Math.min(pauseMs.most, pauseMs.first * 2 ** failures);
        failures += 1;
        this.#deps.status.error(kafkaMessageOf(thrown));
        this.#deps.log.warn(
          { error: kafkaMessageOf(thrown), delayMs },
          'forwarding to Kafka was interrupted',
        );
        await sleep(delayMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #term(signal: AbortSignal): Promise<void> {
    const { leases, holder, place, settings, status } = this.#deps;
    const onStandby = () => {
      status.failing = false;
    };
    const options = { leases, holder, place, leaseMs: settings.leaseMs, clocks: systemClocks, onStandby };
    const lease = await acquireLease(options, signal);
    if (lease === undefined) return;
    status.holding = true;
    try {
      await runTerm(this.#deps, lease, signal);
    } finally {
      status.holding = false;
      status.connected = false;
      await lease.release();
    }
  }

  async #measureLag(): Promise<void> {
    const { bus, status, log } = this.#deps;
    if (!status.holding) return;
    try {
      status.lag = (await eventLag(bus, consumer)).events;
    } catch (thrown) {
      log.debug({ err: thrown }, 'the lag is not known');
    }
  }
}
