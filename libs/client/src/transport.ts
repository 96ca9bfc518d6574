import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
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

type Http = Pick<typeof import('node:http'), 'Agent' | 'request'>;

// Not imported: that reads all exports of it, among them `WebSocket`, for which Node loads a second HTTP client.
const httpOf = (protocol: string): Http =>
  process.getBuiltinModule(protocol === 'https:' ? 'node:https' : 'node:http');

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
  /** Lists are repeated; what is undefined or empty is left out. */
  readonly query?: Readonly<Record<string, unknown>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** The pieces of a stream are freed as they are sent: each must have memory of its own. */
  readonly body?: Buffer | Readable;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** The answer is read piece by piece: no time limit. */
  readonly streaming?: boolean;
}

/** An answer of which the head has come; its body is still to be read. */
export type Answer = IncomingMessage & { readonly statusCode: number };

/**
 * HTTP calls to one gateway, with its errors turned into the taxonomy. By Node's own client: a command of a few calls would
 * take longer to load another.
 */
export class Transport {
  readonly #options: ClientOptions;
  readonly #http: Http;
  readonly #agent: Agent;

  /** @throws Invalid when the address is none */
  constructor(options: ClientOptions) {
    const protocol = URL.parse(options.url)?.protocol ?? '';
    if (!/^https?:$/.test(protocol)) {
      throw Invalid.field('url', `"${options.url}" is not an address such as http://127.0.0.1:7700`);
    }
    this.#options = options;
    this.#http = httpOf(protocol);
    this.#agent = new this.#http.Agent({ keepAlive: true });
  }

  get url(): string {
    return this.#options.url;
  }

  /** The answer, whatever its status but for errors, which are thrown. */
  async send(call: Call): Promise<Answer> {
    const answer = await this.#request(call);
    if (answer.statusCode < 400) return answer;
    throw await errorOf(answer);
  }

  /** The answer's JSON. */
  async json(call: Call): Promise<unknown> {
    const answer = await this.send(call);
    try {
      return JSON.parse(await text(answer));
    } catch (thrown) {
      throw new Internal(`${call.method} ${call.path} did not answer JSON`, { cause: thrown });
    }
  }

  /** Ends its connections, and with them whatever is still under way. */
  async close(): Promise<void> {
    this.#agent.destroy();
  }

  async #request(call: Call): Promise<Answer> {
    const { url, token, user, timeoutMs = 30_000 } = this.#options;
    const headers: Record<string, string> = { ...(await traceHeaders()), ...call.headers };
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    if (user !== undefined) headers['millrace-user'] = user;
    const body = call.json === undefined ? call.body : Buffer.from(JSON.stringify(call.json));
    if (call.json !== undefined) headers['content-type'] = 'application/json';
    if (Buffer.isBuffer(body)) headers['content-length'] = String(body.length);
    const options: RequestOptions = {
      method: call.method,
      headers,
      agent: this.#agent,
      timeout: timeoutMs,
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    };
    try {
      const sent = this.#http.request(addressOf(url, call), options);
      return await answerTo(sent, body, call.streaming === true);
    } catch (thrown) {
      if (call.signal?.aborted === true) throw thrown;
      throw transportError(thrown, url);
    }
  }
}

/** Headers of the active span. OpenTelemetry makes itself known globally where anybody traces; else it need not be loaded. */
const traceHeaders = async (): Promise<Readonly<Record<string, string>>> =>
  Symbol.for('opentelemetry.js.api.1') in globalThis
    ? (await import('@millrace/telemetry/propagation')).activeTraceHeaders()
    : {};

const addressOf = (url: string, { path, query = {} }: Call): URL => {
  const address = new URL(path, url);
  for (const [name, value] of Object.entries(query)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item !== undefined && item !== '') address.searchParams.append(name, String(item));
    }
  }
  return address;
};

/** Sends a request that was opened. Its time limit is how long nothing may be heard until the answer begins. */
const answerTo = (
  sent: ClientRequest,
  body: Buffer | Readable | undefined,
  streaming: boolean,
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    sent.on('error', reject);
    sent.on('timeout', () => sent.destroy(new TimedOut('no answer')));
    // A stream begins when something happens: it is enough that it was asked for.
    if (streaming) sent.on('finish', () => sent.setTimeout(0));
    sent.on('response', (answer) => {
      sent.setTimeout(0);
      resolve(answer as Answer);
    });
    if (body === undefined || Buffer.isBuffer(body)) return void sent.end(body);
    freeWhenSent(sent);
    pipeline(body, sent, (error) => error && reject(error));
  });

/** Frees each piece that is piped into a request as soon as it has gone: as garbage it costs more than the sending. */
const freeWhenSent = (request: ClientRequest): void => {
  const write: (piece: Buffer<ArrayBuffer>, done: (error?: Error | null) => void) => boolean =
    request.write.bind(request);
  request.write = (piece: Buffer<ArrayBuffer>) =>
    write(piece, (error) => {
      if (!error) piece.buffer.transfer(0);
    });
};

/** An error of the connection; anything else (a file that cannot be read) is what it is. */
export const transportError = (thrown: unknown, url: string): MillraceError => {
  if (thrown instanceof TimedOut) return new TimedOut(`the gateway at ${url} did not answer in time`);
  const code = (thrown as { code?: unknown } | null)?.code;
  if (typeof code !== 'string' || !connectionCodes.test(code)) return asMillraceError(thrown);
  return new Unavailable(`no gateway answers at ${url}: ${messageOf(thrown)}`, {
    cause: thrown,
    hint: 'Start one with `millrace up`, or name yours with MILLRACE_URL.',
  });
};

const connectionCodes = /^(ECONN|EPIPE|EHOST|ENET|ENOTFOUND|EAI_|ETIMEDOUT|ERR_STREAM_PREMATURE_CLOSE)/;

const errorOf = async (answer: Answer): Promise<MillraceError> => {
  const content = await text(answer);
  try {
    const { error } = JSON.parse(content) as { error: ErrorJson };
    return errorFromJson(error);
  } catch {
    // An answer to HEAD has no body to read a code from.
    if (answer.statusCode === 404) return new NotFound('there is no such thing');
    if (answer.statusCode === 401) return new Unauthenticated('the gateway wants a token');
    return new MillraceError(
      ErrorCode.internal,
      `the gateway answered ${answer.statusCode}: ${content.slice(0, 200)}`,
    );
  }
};
