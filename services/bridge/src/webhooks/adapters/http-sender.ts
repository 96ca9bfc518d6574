import { isIP, type LookupFunction } from 'node:net';
import { messageOf } from '@millrace/errors';
import { activeTraceHeaders, contextFromHeaders, inSpan } from '@millrace/telemetry';
import { type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { Agent, type Dispatcher } from 'undici';
import type { Sender, SendRequest } from '../application/ports.ts';
import type { AllowList } from '../domain/address-policy.ts';
import type { AttemptResult } from '../domain/delivery.ts';
import type { Receiver } from '../domain/receiver.ts';
import { retryAfterMs } from '../domain/retry-schedule.ts';
import type { ResolveHost } from './host-addresses.ts';

export interface HttpSenderOptions {
  readonly allow: AllowList;
  readonly resolve: ResolveHost;
  /** Milliseconds for everything from the look-up to the end of the answer. */
  readonly timeoutMs: number;
  readonly now: () => number;
}

/** Bytes of an answer that are read; with more the connection is closed. */
const maxAnswerBytes = 64 * 1024;
const maxHeaderBytes = 16 * 1024;
const shownCharacters = 200;

/**
 * Posts to receivers. The addresses of a name are looked up and checked when the connection is made, and the
 * connection goes to one of those that were checked: a second answer of the name server has no effect. Each delivery
 * has a connection of its own. Redirects are not followed.
 */
export class HttpSender implements Sender {
  readonly #options: HttpSenderOptions;
  readonly #agent: Agent;

  constructor(options: HttpSenderOptions) {
    this.#options = options;
    this.#agent = new Agent({
      connect: { lookup: checkedLookup(options), timeout: options.timeoutMs },
      pipelining: 0,
      maxHeaderSize: maxHeaderBytes,
    });
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  async check({ host }: Receiver): Promise<void> {
    const { allow, resolve, timeoutMs } = this.#options;
    if (isIP(host) !== 0) return;
    // A name that is not known yet may be so when the first event comes.
    const addresses = await resolve(host, AbortSignal.timeout(timeoutMs)).catch(() => []);
    allow.check(host, addresses);
  }

  send(receiver: Receiver, request: SendRequest): Promise<AttemptResult> {
    const { traceparent } = request;
    const parent = traceparent === undefined ? {} : { context: contextFromHeaders({ traceparent }) };
    const attributes = {
      'http.request.method': 'POST',
      // Paths of receivers often hold a key.
      'url.full': `${originOf(receiver)}/`,
      'server.address': receiver.host,
      'server.port': receiver.port,
    };
    return inSpan('POST', { kind: SpanKind.CLIENT, attributes, ...parent }, async (span) => {
      const result = await this.#attempt(receiver, request);
      describe(span, result);
      return result;
    });
  }

  async #attempt(receiver: Receiver, { headers, body }: SendRequest): Promise<AttemptResult> {
    const { now, timeoutMs } = this.#options;
    const start = now();
    const began = performance.now();
    const over = AbortSignal.timeout(timeoutMs);
    const resultOf = (statusCode: number, error: string, asked = 0): AttemptResult => ({
      at: new Date(start).toISOString(),
      statusCode,
      durationMs: Math.round(performance.now() - began),
      error,
      retryAfterMs: asked,
    });
    try {
      const answer = await this.#agent.request({
        origin: originOf(receiver),
        path: receiver.path,
        method: 'POST',
        headers: { ...headers, ...activeTraceHeaders() },
        body,
        signal: over,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      });
      // The status decides; what becomes of the rest of the answer does not change that the receiver gave it.
      const text = await readSome(answer.body);
      const asked = answer.headers['retry-after'];
      const header = Array.isArray(asked) ? asked[0] : asked;
      return resultOf(answer.statusCode, errorOf(answer.statusCode, text), retryAfterMs(header, now()));
    } catch (thrown) {
      return resultOf(0, over.aborted ? `no answer within ${timeoutMs} ms` : failureOf(thrown));
    }
  }
}

const originOf = ({ protocol, host, port }: Receiver): string =>
  `${protocol}//${isIP(host) === 6 ? `[${host}]` : host}:${port}`;

/** Looks a name up and refuses it unless all its addresses may be connected to. */
const checkedLookup =
  ({ allow, resolve, timeoutMs }: HttpSenderOptions): LookupFunction =>
  (host, options, done) => {
    const find = async () => {
      const addresses = await resolve(host, AbortSignal.timeout(timeoutMs));
      allow.check(host, addresses);
      return addresses.map((address) => ({ address, family: isIP(address) }));
    };
    find().then(
      (found) => {
        if (options.all === true) done(null, found);
        else done(null, found[0]?.address ?? '', found[0]?.family ?? 0);
      },
      (thrown: unknown) => done(thrown as NodeJS.ErrnoException, []),
    );
  };

/** The beginning of the answer; never more than the limit, whatever the receiver sends. */
const readSome = async (body: Dispatcher.ResponseData['body']): Promise<string> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (bytes >= maxAnswerBytes) break;
    }
  } catch {
    // Cut off, or too slow: what came is enough.
  }
  return Buffer.concat(chunks).toString('utf8', 0, shownCharacters * 4);
};

const errorOf = (status: number, text: string): string => {
  if (status >= 200 && status < 300) return '';
  if (status >= 300 && status < 400) return `HTTP ${status}: redirects are not followed`;
  const shown = text
    .replaceAll(/\p{C}+/gu, ' ')
    .trim()
    .slice(0, shownCharacters);
  return shown === '' ? `HTTP ${status}` : `HTTP ${status}: ${shown}`;
};

/** Why there was no answer, with the code of the platform or of OpenSSL, which names the cause best. */
const failureOf = (thrown: unknown): string => {
  const { code } = thrown as { code?: unknown };
  const message = messageOf(thrown);
  return typeof code !== 'string' || message.includes(code) ? message : `${message} (${code})`;
};

const describe = (span: Span, { statusCode, error }: AttemptResult): void => {
  if (statusCode !== 0) span.setAttribute('http.response.status_code', statusCode);
  if (error === '') return;
  span.setAttribute('error.type', statusCode === 0 ? 'no_answer' : String(statusCode));
  span.setStatus({ code: SpanStatusCode.ERROR, message: statusCode === 0 ? error : `HTTP ${statusCode}` });
};
