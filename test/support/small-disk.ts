import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A small file system of its own in memory, which a test can fill up. */
export class SmallDisk {
  readonly directory: string;
  readonly #ballast: string;

  private constructor(directory: string) {
    this.directory = directory;
    this.#ballast = join(directory, 'ballast');
  }

  /** `undefined`, with the reason printed, where mounting is not allowed. */
  static mount(megabytes: number): SmallDisk | undefined {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-disk-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', directory], {
        stdio: 'pipe',
      });
      return new SmallDisk(directory);
    } catch (thrown) {
      rmSync(directory, { recursive: true });
      console.log(`cannot mount a small file system here (needs root): ${(thrown as Error).message}`);
      return undefined;
    }
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.directory);
    return bavail * bsize;
  }

  /** Takes all space but about that much. */
  fill(leave: number): void {
    const file = openSync(this.#ballast, 'w');
    const piece = Buffer.alloc(4096);
    while (this.freeBytes > leave) writeSync(file, piece);
    closeSync(file);
  }

  /** Gives the space back. */
  relieve(): void {
    rmSync(this.#ballast, { force: true });
  }

  unmount(): void {
    execFileSync('umount', [this.directory]);
    rmSync(this.directory, { recursive: true });
  }
}
