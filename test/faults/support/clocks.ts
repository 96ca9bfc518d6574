import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pause } from '../../support/wait.ts';
import { type Clocks, preloadOption } from './service-preload.ts';

/** Until every service has looked. Milliseconds. */
const noticedMs = 300;

/** Wall clocks of the services, each of which may go wrong by itself. Monotonic clocks are left alone, as by a real jump. */
export class SkewedClocks {
  /** For the installation. */
  readonly env: Readonly<Record<string, string>>;
  readonly #directory = mkdtempSync(join(tmpdir(), 'millrace-clocks-'));
  readonly #file = join(this.#directory, 'clocks.json');

  constructor() {
    this.#write({});
    this.env = { NODE_OPTIONS: preloadOption, MILLRACE_TEST_CLOCKS: this.#file };
  }

  /** From now on; whoever is not named goes right. */
  async set(clocks: Clocks): Promise<void> {
    this.#write(clocks);
    await pause(noticedMs);
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #write(clocks: Clocks): void {
    const next = `${this.#file}.next`;
    writeFileSync(next, JSON.stringify(clocks));
    renameSync(next, this.#file);
  }
}
