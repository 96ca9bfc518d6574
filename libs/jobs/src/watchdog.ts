import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('./child/watchdog.mjs', import.meta.url));

/** It ends when nothing has been watched for this long, to give its memory back. Milliseconds. */
const idleMs = 10_000;
/** Before another takes the place of one that ended by itself. Milliseconds. */
const restartMs = 100;

/**
 * A process that ends children, with their groups and directories, when this process ends in whatever way. One for all
 * children, since a guard in each of them would cost a fifth of its start; started with the first.
 */
class Watchdog {
  readonly #watched = new Map<number, string>();
  #process: ChildProcess | undefined;
  #idle: NodeJS.Timeout | undefined;

  /** Returns how to say that the child is gone. */
  watch(pid: number, directory: string): () => void {
    clearTimeout(this.#idle);
    this.#watched.set(pid, directory);
    if (this.#process === undefined) this.#start();
    else this.#say({ watch: pid, directory });
    return () => this.#forget(pid);
  }

  #forget(pid: number): void {
    if (!this.#watched.delete(pid)) return;
    this.#say({ forget: pid });
    if (this.#watched.size === 0) this.#idle = setTimeout(() => this.#process?.stdin?.end(), idleMs).unref();
  }

  #start(): void {
    const watchdog = spawn(process.execPath, [script], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: {},
      // Its own process group: Ctrl-C in a terminal must not end it before its duty.
      detached: true,
    });
    this.#process = watchdog;
    watchdog.unref();
    (watchdog.stdin as unknown as { unref?: () => void } | null)?.unref?.();
    watchdog.stdin?.on('error', () => {});
    const ended = () => this.#ended(watchdog);
    watchdog.once('exit', ended).once('error', ended);
    for (const [pid, directory] of this.#watched) this.#say({ watch: pid, directory });
  }

  #ended(watchdog: ChildProcess): void {
    if (this.#process !== watchdog) return;
    this.#process = undefined;
    setTimeout(() => {
      if (this.#process === undefined && this.#watched.size > 0) this.#start();
    }, restartMs).unref();
  }

  #say(line: object): void {
    // One that has ended is told of by its exit; the next is told of all.
    if (this.#process?.stdin?.writable) this.#process.stdin.write(`${JSON.stringify(line)}\n`);
  }
}

export const watchdog = new Watchdog();
