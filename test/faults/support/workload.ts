import { isRetryable } from '@millrace/errors';
import { pause } from '../../support/wait.ts';
import type { Counts, History, Operation } from './history.ts';
import type { WriteKind } from './writes.ts';

const intervalMs = 40;

export interface WorkloadFindings extends Counts {
  /** Acknowledged and not there: `metric 17`. */
  readonly missing: readonly string[];
  /** There more than once. */
  readonly twice: readonly string[];
  /** There although nobody wrote it, or although it was refused. */
  readonly phantoms: readonly string[];
}

/** A client that keeps writing, one write at a time and each kind in turn, and records what it was told. */
export class Workload {
  readonly #kinds: () => readonly WriteKind[];
  readonly #others: readonly WriteKind[];
  readonly #history: History;
  #writing: Promise<void> | undefined;
  #stopped = true;

  /** Writes `kinds` in turn, through the client of the moment; `others` are written elsewhere and only read back. */
  constructor(history: History, kinds: () => readonly WriteKind[], others: readonly WriteKind[] = []) {
    this.#history = history;
    this.#kinds = kinds;
    this.#others = others;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#writing = this.#write();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#writing;
  }

  /** One write of each kind, told how it went. */
  async once(): Promise<readonly Operation[]> {
    const made: Operation[] = [];
    for (const kind of this.#kinds()) made.push(await this.#one(kind));
    return made;
  }

  /** Repeats every write that nobody answered, with the same number: that must be safe (I7). */
  async repeatUnknown(): Promise<number> {
    let repeated = 0;
    for (const kind of [...this.#kinds(), ...this.#others]) {
      for (const number of this.#history.numbers(kind.name, 'unknown')) {
        await kind.write(number);
        repeated += 1;
      }
    }
    return repeated;
  }

  /** Reads everything back over the API. */
  async find(): Promise<WorkloadFindings> {
    const missing: string[] = [];
    const twice: string[] = [];
    const phantoms: string[] = [];
    let acknowledged = 0;
    let found = 0;
    for (const { name, find, repeatIsRecorded = false } of [...this.#kinds(), ...this.#others]) {
      const tried = new Set(this.#history.of(name).map(({ number }) => number));
      const done = this.#history.numbers(name, 'acknowledged');
      const unknown = new Set(this.#history.numbers(name, 'unknown'));
      const refused = new Set(this.#history.numbers(name, 'refused'));
      const there = await find([...tried]);
      acknowledged += done.length;
      found += there.size;
      missing.push(...done.filter((number) => !there.has(number)).map((number) => `${name} ${number}`));
      for (const [number, times] of there) {
        // Once by the call that nobody answered, once by its repetition.
        const allowed = repeatIsRecorded && unknown.has(number) ? 2 : 1;
        if (times > allowed) twice.push(`${name} ${number} (${times} times)`);
        if (!tried.has(number) || refused.has(number)) phantoms.push(`${name} ${number}`);
      }
    }
    const counts = { tried: this.#history.operations.length, acknowledged, found };
    return { ...counts, lost: missing.length, doubled: twice.length, missing, twice, phantoms };
  }

  /** Failures that no fault explains: the input was right. */
  unexpected(): readonly Operation[] {
    return this.#history.operations.filter(({ code }) => code !== undefined && !isRetryable(code));
  }

  async #write(): Promise<void> {
    for (let turn = 0; !this.#stopped; turn += 1) {
      const kinds = this.#kinds();
      const kind = kinds[turn % kinds.length];
      if (kind !== undefined) await this.#one(kind);
      await pause(intervalMs);
    }
  }

  #one(kind: WriteKind): Promise<Operation> {
    const number = this.#history.nextNumber();
    return this.#history.attempt(kind.name, number, () => kind.write(number));
  }
}
