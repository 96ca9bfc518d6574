import { appendFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asMillraceError, type ErrorCode, isRetryable } from '@millrace/errors';

/**
 * What the client was told: `acknowledged` must be found afterwards; `refused` (the input's fault) must not;
 * of `unknown` (nobody answered, or asked to try again) either is right, but never half and never twice.
 */
export type Outcome = 'acknowledged' | 'refused' | 'unknown';

/** One call that a client made, and what came of it. */
export interface Operation {
  /** 1, 2, 3 … within the history. */
  readonly number: number;
  /** Which kind of call, `metric`. */
  readonly kind: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly tookMs: number;
  readonly outcome: Outcome;
  readonly code?: ErrorCode;
  readonly error?: string;
  /** What it answered, where that is worth keeping. */
  readonly result?: unknown;
}

/** Something that was done to the platform: `kill -9 training`. */
export interface Injection {
  readonly at: string;
  readonly what: string;
}

/** Everything that was tried while something was broken. Written to a file when a check fails. */
export class History {
  /** `F2` */
  readonly fault: string;
  /** `broker killed` */
  readonly title: string;
  readonly seed: number;
  readonly operations: Operation[] = [];
  readonly injections: Injection[] = [];
  /** From each end of a fault until all was well again, milliseconds. */
  readonly recoveries: number[] = [];
  #last = 0;

  constructor(fault: string, title: string, seed: number) {
    this.fault = fault;
    this.title = title;
    this.seed = seed;
  }

  /** Numbers the next operation before it is tried. */
  nextNumber(): number {
    this.#last += 1;
    return this.#last;
  }

  /** Makes a call and records what came of it; never throws. */
  async attempt(kind: string, number: number, call: () => Promise<unknown>): Promise<Operation> {
    const begun = performance.now();
    const startedAt = new Date().toISOString();
    const told = await call().then(
      (result) => ({ outcome: 'acknowledged' as const, ...(result === undefined ? {} : { result }) }),
      (thrown: unknown) => {
        const { code, message } = asMillraceError(thrown);
        return {
          outcome: isRetryable(code) ? ('unknown' as const) : ('refused' as const),
          code,
          error: message,
        };
      },
    );
    const operation = { number, kind, startedAt, tookMs: performance.now() - begun, ...told };
    this.operations.push(operation);
    return operation;
  }

  injected(what: string): void {
    this.injections.push({ at: new Date().toISOString(), what });
  }

  of(kind: string): readonly Operation[] {
    return this.operations.filter((operation) => operation.kind === kind);
  }

  /** Numbers of the operations of a kind that came to this. */
  numbers(kind: string, outcome: Outcome): readonly number[] {
    return this.of(kind).flatMap((operation) => (operation.outcome === outcome ? [operation.number] : []));
  }

  /** Longest recovery, seconds. */
  get recoverySeconds(): number {
    return Math.max(0, ...this.recoveries) / 1_000;
  }

  /** Writes all of it, in order of time, to a new file; answers its path. */
  dump(): string {
    const path = join(mkdtempSync(join(tmpdir(), 'millrace-history-')), `${this.fault}-${this.seed}.jsonl`);
    const lines = [
      ...this.injections.map(({ at, what }) => ({ at, injected: what })),
      ...this.operations.map((operation) => ({ at: operation.startedAt, ...operation })),
    ].sort((a, b) => a.at.localeCompare(b.at));
    appendFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    return path;
  }
}

export interface Counts {
  readonly tried: number;
  readonly acknowledged: number;
  /** Different operations whose effect is there. */
  readonly found: number;
  readonly lost: number;
  readonly doubled: number;
}

/** `F2 broker killed: tried 120, acknowledged 118, found 119, lost 0, doubled 0, recovered in 1.2 s (seed 7)` */
export const countsLine = (
  { fault, title, seed }: History,
  counts: Counts,
  recoverySeconds: number,
): string => {
  const { tried, acknowledged, found, lost, doubled } = counts;
  return `${fault} ${title}: tried ${tried}, acknowledged ${acknowledged}, found ${found}, lost ${lost}, doubled ${doubled}, recovered in ${recoverySeconds.toFixed(1)} s (seed ${seed})`;
};
