import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { basename, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, TimedOut, Unavailable } from '@millrace/errors';
import { locateNatsServer } from './locate.ts';
import type { OnProgress } from './progress.ts';
import { type ClusterOptions, type ServerTls, serverConfig } from './server-config.ts';
import { claimStore, forgetOwner, recordOwner } from './store-owner.ts';
import { endWithParent } from './watchdog.ts';

export interface NatsServerOptions {
  /** Where streams, log, configuration and pid file live; created when missing. */
  readonly storeDir: string;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: a free port. */
  readonly port?: number;
  /**
   * How often the server fsyncs what it acknowledged: a Go duration, or `always` for each write (many times
   * slower). Default `5s`: only a crash of the machine, not of the server, can lose that much, and the
   * services' outboxes restore it.
   */
  readonly syncInterval?: string;
  /** Limit of all streams together, bytes; default the server's own (three quarters of the free disk). */
  readonly maxStoreBytes?: number;
  /** How the other servers of a cluster call this one; needed with `cluster`. */
  readonly serverName?: string;
  /** Default none: a server of its own. */
  readonly cluster?: ClusterOptions;
  /** Default none: no encryption, for loopback. */
  readonly tls?: ServerTls;
  /** Settings of the server that say who may connect and do what, such as `accounts`; default everybody everything. */
  readonly authorization?: Readonly<Record<string, unknown>>;
  /** Path of the server; default what `locateNatsServer` finds or installs. */
  readonly executable?: string;
  /** How long the server may take to answer, ms; default 20,000. */
  readonly startTimeoutMs?: number;
  readonly env?: NodeJS.ProcessEnv;
  readonly onProgress?: OnProgress;
}

export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running server. It ends with this process, however this process ends. */
export interface NatsServer {
  /** `nats://127.0.0.1:4222` */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  readonly logFile: string;
  /** Resolves when the process has ended, for whatever reason. */
  readonly exited: Promise<ServerExit>;
  /** Ends it gracefully and resolves when it has ended. Safe to repeat. */
  stop(): Promise<void>;
  /** Ends it with SIGKILL, as a crash would. */
  kill(): Promise<void>;
  /** Has it read its certificates and users again, without a restart. */
  reload(): void;
}

/**
 * Starts a `nats-server` with JetStream as a child and resolves when it answers. Throws `Conflict` when a
 * living process already runs one on `storeDir`, `Unavailable` with the end of the server's log when it ends
 * at once, `TimedOut` when it does not answer in time.
 */
export const startNatsServer = async (options: NatsServerOptions): Promise<NatsServer> => {
  const storeDir = resolve(options.storeDir);
  const host = options.host ?? '127.0.0.1';
  const executable = options.executable ?? (await locateNatsServer(options)).path;
  await mkdir(storeDir, { recursive: true });
  await claimStore(storeDir);
  const configFile = join(storeDir, 'nats-server.json');
  await writeFile(
    configFile,
    serverConfig({
      host,
      port: options.port ?? 0,
      storeDir,
      syncInterval: options.syncInterval ?? '5s',
      maxStoreBytes: options.maxStoreBytes,
      serverName: options.serverName,
      cluster: options.cluster,
      tls: options.tls,
      authorization: options.authorization,
    }),
    // It may hold secrets of the authorization.
    { mode: 0o600 },
  );

  const child = spawn(executable, ['--config', configFile], {
    stdio: 'ignore',
    // Its own process group: Ctrl-C in a terminal must not end it while the services still drain.
    detached: true,
  });
  const exited = exitOf(child);
  const pid = child.pid;
  if (pid === undefined) throw new Unavailable(`cannot start ${executable}: ${(await exited).reason}`);
  child.unref();
  const standDown = endWithParent(pid);
  const endAtExit = () => child.kill('SIGTERM');
  process.once('exit', endAtExit);
  void exited.then(() => {
    standDown();
    process.off('exit', endAtExit);
  });

  const logFile = join(storeDir, 'nats-server.log');
  const portsFile = join(storeDir, `${basename(executable)}_${pid}.ports`);
  const end = async (signal: NodeJS.Signals) => {
    // Unreferenced until now, so that a forgotten server does not keep the process alive.
    child.ref();
    child.kill(signal);
    await exited;
    await rm(portsFile, { force: true });
    await forgetOwner(storeDir);
  };
  try {
    await recordOwner(storeDir, pid);
    const port = await ready(child, portsFile, host, logFile, options.startTimeoutMs ?? 20_000);
    return {
      url: `nats://${host.includes(':') ? `[${host}]` : host}:${port}`,
      host,
      port,
      pid,
      logFile,
      exited,
      stop: () => end('SIGTERM'),
      kill: () => end('SIGKILL'),
      reload: () => void child.kill('SIGHUP'),
    };
  } catch (thrown) {
    await end('SIGKILL');
    throw thrown;
  }
};

const exitOf = (child: ChildProcess): Promise<ServerExit & { readonly reason: string }> =>
  new Promise((settle) => {
    child.once('error', (error) => settle({ code: null, signal: null, reason: messageOf(error) }));
    child.once('exit', (code, signal) => settle({ code, signal, reason: `ended with ${signal ?? code}` }));
  });

/** Waits until the server says where it listens and greets a client; returns the port. */
const ready = async (
  child: ChildProcess,
  portsFile: string,
  host: string,
  logFile: string,
  timeoutMs: number,
): Promise<number> => {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Unavailable(`nats-server ended at once: ${await endOf(logFile)}`, {
        hint: `Its log is ${logFile}.`,
      });
    }
    const port = await portFrom(portsFile);
    if (port !== undefined && (await greets(host, port))) return port;
    await delay(10);
  }
  throw new TimedOut(`nats-server did not answer within ${timeoutMs} ms: ${await endOf(logFile)}`, {
    hint: `Its log is ${logFile}.`,
  });
};

const portFrom = async (portsFile: string): Promise<number | undefined> => {
  try {
    const { nats } = JSON.parse(await readFile(portsFile, 'utf8')) as { nats: readonly string[] };
    return nats[0] === undefined ? undefined : Number(new URL(nats[0]).port);
  } catch {
    // Not written yet, or not to its end.
    return undefined;
  }
};

/** Whether a client that connects is sent the protocol's first line. */
const greets = (host: string, port: number): Promise<boolean> =>
  new Promise((settle) => {
    const socket = connect({ host: host === '0.0.0.0' ? '127.0.0.1' : host, port });
    const answer = (greeted: boolean) => {
      socket.destroy();
      settle(greeted);
    };
    socket.setTimeout(1_000, () => answer(false));
    socket.once('error', () => answer(false));
    socket.once('data', (data) => answer(data.toString('latin1').startsWith('INFO ')));
  });

const endOf = async (logFile: string): Promise<string> => {
  try {
    return (await readFile(logFile, 'utf8')).trimEnd().split('\n').slice(-3).join(' | ');
  } catch {
    return 'it wrote no log';
  }
};
