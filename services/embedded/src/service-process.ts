import type { ChildProcess } from 'node:child_process';
import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { type ErrorJson, errorFromJson, Internal, TimedOut, Unavailable } from '@millrace/errors';
import type { Env, ServiceName } from '@millrace/service-kit';
import type { Logger } from '@millrace/telemetry';

/** A service that runs as a child process and is started again whenever it dies. */
export interface ServiceProcess {
  readonly name: ServiceName;
  /** `undefined` while it is down. */
  pid(): number | undefined;
  /**
   * Starts another process of the service, which shares the listeners, and when that is ready has the first one drain and
   * end: no call fails. Throws what kept the other from its start; the first one then goes on.
   */
  replace(): Promise<void>;
  /** Ends it in order, by force when it takes too long. */
  stop(): Promise<void>;
}

export interface ServiceProcessOptions {
  readonly name: ServiceName;
  readonly env: Env;
  readonly log: Logger;
  /** Called when a start after the first one succeeded. */
  readonly onRestart: () => void;
}

type ChildMessage = { readonly ready: true } | { readonly failed: ErrorJson };

/** Milliseconds before a service that died is started again: doubled from start to start, up to the most. */
const restartDelayMs = { first: 100, most: 5_000 };
/** One that lived this long had started well: the delay begins anew. Milliseconds. */
const steadyMs = 10_000;
/** All services start at once: on a machine with much else to do that takes minutes. */
const startTimeoutMs = 180_000;
const stopTimeoutMs = 15_000;
/** The same for one that lets its clients leave first. */
const drainTimeoutMs = 25_000;

/** Starts a service's `main.ts` and keeps it running. Throws what kept it from its first start. */
export const superviseService = async (options: ServiceProcessOptions): Promise<ServiceProcess> => {
  const supervisor = new Supervisor(options);
  await supervisor.start();
  return supervisor;
};

class Supervisor implements ServiceProcess {
  readonly name: ServiceName;
  readonly #options: ServiceProcessOptions;
  #child: ChildProcess | undefined;
  #starting: ChildProcess | undefined;
  #restart: NodeJS.Timeout | undefined;
  #failures = 0;
  #stopping = false;

  constructor(options: ServiceProcessOptions) {
    this.name = options.name;
    this.#options = options;
  }

  pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when the service is ready; from then on it is watched. */
  async start(): Promise<void> {
    const started = await this.#launch();
    this.#child = started.child;
    void this.#watch(started);
  }

  async replace(): Promise<void> {
    const former = this.#child;
    const started = await this.#launch();
    if (this.#stopping || former !== this.#child) {
      // It was stopped, or died and was started again, meanwhile.
      await end(started.child, 'SIGINT', stopTimeoutMs);
      throw new Unavailable(`${this.name} ended while another was started in its place`);
    }
    this.#child = started.child;
    void this.#watch(started);
    this.#options.onRestart();
    if (former !== undefined) await end(former, 'SIGTERM', drainTimeoutMs);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    const alive = [this.#child, this.#starting].filter((child) => child !== undefined);
    await Promise.all(alive.map((child) => end(child, 'SIGINT', stopTimeoutMs)));
  }

  /** The main file of the service, which listens on sockets that all its processes share. */
  async #launch(): Promise<Started> {
    const { name, env } = this.#options;
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    cluster.setupPrimary({
      exec: fileURLToPath(import.meta.resolve(`@millrace/${name}/main`)),
      execArgv: ['--disable-warning=ExperimentalWarning'],
      args: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const child = cluster.fork(env).process;
    this.#starting = child;
    const ended = endOf(child);
    try {
      await readyOf(name, child, ended);
    } catch (thrown) {
      child.kill('SIGKILL');
      await ended;
      throw thrown;
    } finally {
      this.#starting = undefined;
    }
    return { child, ended };
  }

  async #watch({ child, ended }: Started): Promise<void> {
    const since = performance.now();
    const how = await ended;
    if (this.#child !== child) return;
    this.#child = undefined;
    if (this.#stopping) return;
    if (performance.now() - since > steadyMs) this.#failures = 0;
    this.#options.log.warn({ service: this.name, how }, 'a service ended; starting it again');
    this.#startLater();
  }

  #startLater(): void {
    const delayMs = Math.min(restartDelayMs.most, restartDelayMs.first * 2 ** this.#failures);
    this.#failures += 1;
    this.#restart = setTimeout(() => void this.#startAgain(), delayMs);
  }

  async #startAgain(): Promise<void> {
    try {
      await this.start();
      this.#options.onRestart();
    } catch (thrown) {
      if (this.#stopping) return;
      this.#options.log.error({ service: this.name, err: thrown }, 'a service did not start');
      this.#startLater();
    }
  }
}

interface Started {
  readonly child: ChildProcess;
  /** Resolves with how it ended. */
  readonly ended: Promise<string>;
}

const end = async (child: ChildProcess, signal: NodeJS.Signals, timeoutMs: number): Promise<void> => {
  const ended = endOf(child);
  child.kill(signal);
  const forced = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  await ended;
  clearTimeout(forced);
};

const endOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve('ended already');
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`));
  });

const readyOf = (name: ServiceName, child: ChildProcess, ended: Promise<string>): Promise<void> =>
  new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new TimedOut(`${name} was not ready within ${startTimeoutMs / 1000} s`)),
      startTimeoutMs,
    );
    child.on('message', (message: ChildMessage) => {
      clearTimeout(late);
      if ('failed' in message) reject(errorFromJson(message.failed));
      else resolve();
    });
    void ended.then((how) => {
      clearTimeout(late);
      reject(new Internal(`${name} ended while starting: ${how}`));
    });
  });
