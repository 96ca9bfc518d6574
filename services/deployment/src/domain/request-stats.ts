/** Requests that a revision answered in a span of time, with a bounded sample of their latencies. */
export class RequestStats {
  readonly #onAdd: (latencyMs: number, failed: boolean) => void;
  readonly #latencies: number[] = [];
  #requests = 0;
  #errors = 0;

  /** @param onAdd told of each request */
  constructor(onAdd: (latencyMs: number, failed: boolean) => void = () => {}) {
    this.#onAdd = onAdd;
  }

  add(latencyMs: number, failed: boolean): void {
    this.#requests += 1;
    if (failed) this.#errors += 1;
    // The newest are the ones that tell how it is now.
    this.#latencies[this.#requests % keptLatencies] = latencyMs;
    this.#onAdd(latencyMs, failed);
  }

  get requests(): number {
    return this.#requests;
  }

  get errors(): number {
    return this.#errors;
  }

  /** 95th percentile of the newest latencies, milliseconds; 0 without any. */
  latencyP95Ms(): number {
    const sorted = this.#latencies.filter((value) => value !== undefined).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length * 0.95)] ?? 0;
  }
}

const keptLatencies = 512;
