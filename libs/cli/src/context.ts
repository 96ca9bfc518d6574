import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { createClient, type MillraceClient } from '@millrace/client';
import { readRunningState } from '@millrace/installation';
import { Output } from './output.ts';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly url?: string;
  readonly dataDir?: string;
  /** With `json`: what happens meanwhile is told on standard error. */
  readonly progress?: boolean;
}

export const defaultUrl = 'http://127.0.0.1:7700';

/** Where `millrace up` listens unless told otherwise. */
const usualUrl = ({ MILLRACE_PORT: port }: NodeJS.ProcessEnv): string =>
  port === undefined || !/^[1-9]\d*$/.test(port) ? defaultUrl : `http://127.0.0.1:${port}`;

/** What a command works with. */
export class CommandContext {
  readonly output: Output;
  readonly dataDir: string;
  readonly #options: GlobalOptions;
  readonly #env: NodeJS.ProcessEnv;
  readonly #url: string | undefined;
  #client: MillraceClient | undefined;

  constructor(options: GlobalOptions, env: NodeJS.ProcessEnv) {
    this.output = new Output(options.json === true, options.progress === true);
    this.dataDir = resolve(options.dataDir ?? env.MILLRACE_DATA_DIR ?? '.millrace');
    this.#options = options;
    this.#env = env;
    this.#url = options.url ?? env.MILLRACE_URL;
  }

  /** The same, with the data directory of a project where none is named: whatever directory below it one is in. */
  inProject(root: string): CommandContext {
    const dataDir = this.#options.dataDir ?? this.#env.MILLRACE_DATA_DIR ?? join(root, '.millrace');
    return new CommandContext({ ...this.#options, dataDir }, this.#env);
  }

  /** Whether somebody said which gateway to talk to. */
  get isAddressed(): boolean {
    return this.#url !== undefined;
  }

  /** The name under which changes are audited. */
  get user(): string {
    return this.#env.MILLRACE_USER ?? userInfo().username;
  }

  /** A client of the gateway: `--url`, `MILLRACE_URL`, the Millrace of the data directory, the default address. */
  async client(): Promise<MillraceClient> {
    if (this.#client === undefined) {
      const url = this.#url ?? (await readRunningState(this.dataDir))?.url ?? usualUrl(this.#env);
      const token = this.#env.MILLRACE_TOKEN;
      this.#client = createClient({ url, user: this.user, ...(token === undefined ? {} : { token }) });
    }
    return this.#client;
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.close();
  }
}
