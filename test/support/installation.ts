import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BusOptions } from '@millrace/bus';
import { tlsFilesIn } from '@millrace/certificates';
import { CommandContext, startMillrace } from '@millrace/cli';
import { createClient, type MillraceClient } from '@millrace/client';
import { isAlive, type RunningState } from '@millrace/installation';
import { EventLog } from './event-log.ts';
import { until } from './wait.ts';

export interface InstallationOptions {
  readonly separate: boolean;
  /** Of an installation that crashed, to go on with; default a new one. */
  readonly dataDir?: string;
  /** Variables of the services, besides those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** A broker that the test runs itself; by default the installation brings its own. */
  readonly natsUrl?: string;
}

/** A Millrace of a test's own: free port, temporary data directory, real processes. Gone afterwards. */
export class TestInstallation {
  readonly dataDir: string;
  readonly url: string;
  readonly client: MillraceClient;
  readonly log: EventLog;
  readonly #stop: () => Promise<void>;

  private constructor(dataDir: string, url: string, log: EventLog, stop: () => Promise<void>) {
    this.dataDir = dataDir;
    this.url = url;
    const token = process.env.MILLRACE_TOKEN;
    this.client = createClient({
      url,
      user: 'ada',
      timeoutMs: 15_000,
      ...(token === undefined ? {} : { token }),
    });
    this.log = log;
    this.#stop = stop;
  }

  static async start({ separate, env = {}, ...options }: InstallationOptions): Promise<TestInstallation> {
    const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'millrace-system-')));
    // The command line hands its own environment on.
    Object.assign(process.env, { MILLRACE_LOG_LEVEL: 'warn', ...env });
    if (options.natsUrl === undefined) delete process.env.NATS_URL;
    else process.env.NATS_URL = options.natsUrl;
    const context = new CommandContext({ dataDir, json: true }, process.env);
    const { url, stop } = await startMillrace(context, { port: '0', separate });
    const { natsUrl } = await stateOf(dataDir);
    return new TestInstallation(dataDir, url, await EventLog.open(natsUrl, adminOf(dataDir, env)), stop);
  }

  state(): Promise<RunningState> {
    return stateOf(this.dataDir);
  }

  /** Process ids once every part has one that lives. */
  async pids(): Promise<Readonly<Record<string, number>>> {
    return until('all processes', async () => {
      const { pids } = await this.state();
      return Object.values(pids).every(isAlive) ? pids : undefined;
    });
  }

  /** Ends it with SIGKILL, as a crash would; its data stay. */
  async crash(): Promise<void> {
    const { pid } = await this.state();
    process.kill(pid, 'SIGKILL');
    await until('the end of the process', () => (isAlive(pid) ? undefined : true));
    await this.#leave();
  }

  async stop(): Promise<void> {
    await this.#leave();
    await this.#stop();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  async #leave(): Promise<void> {
    await this.log.close();
    await this.client.close();
  }
}

const stateOf = async (dataDir: string): Promise<RunningState> =>
  JSON.parse(await readFile(join(dataDir, 'running.json'), 'utf8')) as RunningState;

/** Who may do everything on the installation's broker, where that has users. */
const adminOf = (
  dataDir: string,
  { MILLRACE_NATS_USERS: users, MILLRACE_TLS_DIR: tlsDir }: Readonly<Record<string, string>>,
): Pick<BusOptions, 'credentials' | 'tls'> => {
  if (users !== '1') return {};
  const credentials = { nkeyFile: join(dataDir, 'nats-keys', 'admin.nk') };
  if (tlsDir === undefined) return { credentials };
  const { ca, certificate: cert, key } = tlsFilesIn(tlsDir, 'operator');
  return { credentials, tls: { ca, cert, key } };
};
