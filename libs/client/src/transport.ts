import {
  asMillraceError,
  ErrorCode,
  type ErrorJson,
  errorFromJson,
  Internal,
  Invalid,
  MillraceError,
  messageOf,
  NotFound,
  TimedOut,
  Unauthenticated,
  Unavailable,
} from '@millrace/errors';
import { activeTraceHeaders } from '@millrace/telemetry/propagation';
import { Agent, type Dispatcher, request } from 'undici';

export interface ClientOptions {
  /** Address of the gateway: `http://127.0.0.1:7700`. */
  readonly url: string;
  readonly token?: string;
  /** Who acts, for the audit log. */
  readonly user?: string;
  /** Milliseconds until a call is given up; default 30,000. Streams have no limit. */
  readonly timeoutMs?: number;
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly body?: Dispatcher.DispatchOptions['body'];
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** The answer is read piece by piece: no time limit. */
  readonly streaming?: boolean;
}

/** HTTP calls to one gateway, with its errors turned into the taxonomy. */
export class Transport {
  readonly #options: ClientOptions;
  readonly #agent = new Agent({ keepAliveTimeout: 30_000, bodyTimeout: 0 });

  /** @throws Invalid when the address is none */
  constructor(options: ClientOptions) {
    if (!/^https?:$/.test(URL.parse(options.url)?.protocol ?? '')) {
      throw Invalid.field('url', `"${options.url}" is not an address such as http://127.0.0.1:7700`);
    }
    this.#options = options;
  }

  get url(): string {
    return this.#options.url;
  }

  /** The answer, whatever its status but for errors, which are thrown. */
  async send(call: Call): Promise<Dispatcher.ResponseData> {
    const answer = await this.#request(call);
    if (answer.statusCode < 400) return answer;
    throw await errorOf(answer);
  }

  /** The answer's JSON. */
  async json(call: Call): Promise<unknown> {
    const answer = await this.send(call);
    try {
      return await answer.body.json();
    } catch (thrown) {
      throw new Internal(`${call.method} ${call.path} did not answer JSON`, { cause: thrown });
    }
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }

  async #request(call: Call): Promise<Dispatcher.ResponseData> {
    const { url, token, user, timeoutMs = 30_000 } = this.#options;
    const headers: Record<string, string> = { ...activeTraceHeaders(), ...call.headers };
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    if (user !== undefined) headers['millrace-user'] = user;
    if (call.json !== undefined) headers['content-type'] = 'application/json';
    try {
      return await request(new URL(call.path, url), {
        method: call.method,
        headers,
        query: definedOnly(call.query ?? {}),
        body: call.json === undefined ? (call.body ?? null) : JSON.stringify(call.json),
        dispatcher: this.#agent,
        headersTimeout: call.streaming === true ? 0 : timeoutMs,
        ...(call.signal === undefined ? {} : { signal: call.signal }),
      });
    } catch (thrown) {
      if (call.signal?.aborted === true) throw thrown;
      throw transportError(thrown, url);
    }
  }
}

/** An error of the connection; anything else (a file that cannot be read) is what it is. */
export const transportError = (thrown: unknown, url: string): MillraceError => {
  const code = (thrown as { code?: unknown } | null)?.code;
  if (code === 'UND_ERR_HEADERS_TIMEOUT') {
    return new TimedOut(`the gateway at ${url} did not answer in time`, { cause: thrown });
  }
  if (typeof code !== 'string' || !connectionCodes.test(code)) return asMillraceError(thrown);
  return new Unavailable(`no gateway answers at ${url}: ${messageOf(thrown)}`, {
    cause: thrown,
    hint: 'Start one with `millrace up`, or name yours with MILLRACE_URL.',
  });
};

const connectionCodes =
  /^(UND_ERR_|ECONN|EPIPE|EHOST|ENET|ENOTFOUND|EAI_|ETIMEDOUT|ERR_STREAM_PREMATURE_CLOSE)/;

const definedOnly = (query: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined && value !== ''));

const errorOf = async (answer: Dispatcher.ResponseData): Promise<MillraceError> => {
  const text = await answer.body.text();
  try {
    const { error } = JSON.parse(text) as { error: ErrorJson };
    return errorFromJson(error);
  } catch {
    // An answer to HEAD has no body to read a code from.
    if (answer.statusCode === 404) return new NotFound('there is no such thing');
    if (answer.statusCode === 401) return new Unauthenticated('the gateway wants a token');
    return new MillraceError(
      ErrorCode.internal,
      `the gateway answered ${answer.statusCode}: ${text.slice(0, 200)}`,
    );
  }
};
