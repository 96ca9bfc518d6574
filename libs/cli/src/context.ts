import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { createClient, type MillraceClient } from '@millrace/client';
import { readRunningState } from '@millrace/installation';
import { Output } from './output.ts';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly url?: string;
  readonly dataDir?: string;
}

export const defaultUrl = 'http://127.0.0.1:7700';

/** What a command works with. */
export class CommandContext {
  readonly output: Output;
  readonly dataDir: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #url: string | undefined;
  #client: MillraceClient | undefined;

  constructor(options: GlobalOptions, env: NodeJS.ProcessEnv) {
    this.output = new Output(options.json === true);
    this.dataDir = resolve(options.dataDir ?? env.MILLRACE_DATA_DIR ?? '.millrace');
    this.#env = env;
    this.#url = options.url ?? env.MILLRACE_URL;
  }

  /** The name under which changes are audited. */
  get user(): string {
    return this.#env.MILLRACE_USER ?? userInfo().username;
  }

  /** A client of the gateway: `--url`, `MILLRACE_URL`, the Millrace of the data directory, the default address. */
  async client(): Promise<MillraceClient> {
    if (this.#client === undefined) {
      const url = this.#url ?? (await readRunningState(this.dataDir))?.url ?? defaultUrl;
      const token = this.#env.MILLRACE_TOKEN;
      this.#client = createClient({ url, user: this.user, ...(token === undefined ? {} : { token }) });
    }
    return this.#client;
  }

  async close(): Promise<void> {
    await this.#client?.close();
  }
}
