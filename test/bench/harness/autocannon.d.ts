// The few parts that the benchmarks use; the package brings no types.
declare module 'autocannon' {
  export interface Options {
    readonly url: string;
    readonly connections: number;
    /** Requests in all. */
    readonly amount: number;
    /** Milliseconds between samples; the end is rounded up to one. */
    readonly sampleInt: number;
    readonly method: 'POST';
    readonly headers: Readonly<Record<string, string>>;
    /** Each connection sends them in turn. */
    readonly requests: readonly { readonly body: string }[];
  }
  export interface Result {
    readonly '2xx': number;
    readonly non2xx: number;
    readonly errors: number;
    readonly timeouts: number;
    /** Seconds. */
    readonly duration: number;
    /** Milliseconds. */
    readonly latency: { readonly p50: number; readonly p99: number };
  }
  export default function autocannon(options: Options): Promise<Result>;
}
