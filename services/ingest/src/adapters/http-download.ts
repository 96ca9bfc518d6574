import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Invalid, MillraceError, messageOf, TimedOut, Unavailable } from '@millrace/errors';

export interface DownloadLimits {
  /** Bytes of the body. */
  readonly maxBytes: number;
  /** For the whole download, redirects included. */
  readonly timeoutMs: number;
}

export interface Downloaded {
  /** `sha256:<hex>` of the body. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly etag?: string;
}

export interface DownloadRequest {
  readonly url: string;
  /** Where the body goes. */
  readonly path: string;
  /** Field of the recipe that named the URL. */
  readonly field: string;
  readonly limits: DownloadLimits;
  readonly signal: AbortSignal;
}

const maxRedirects = 5;

/**
 * Downloads a file over HTTP or HTTPS. Throws `Invalid` for an address that will never do (other scheme, 4xx, too
 * large), `Unavailable` for one that may answer later, `TimedOut` when it takes too long.
 */
export const download = async (request: DownloadRequest): Promise<Downloaded> => {
  const timeout = AbortSignal.timeout(request.limits.timeoutMs);
  const signal = AbortSignal.any([request.signal, timeout]);
  try {
    const response = await follow(request, signal);
    return await save(response, request, signal);
  } catch (thrown) {
    request.signal.throwIfAborted();
    if (timeout.aborted) {
      throw new TimedOut(
        `${shownUrl(request.url)} did not answer completely within ${request.limits.timeoutMs / 1000} s`,
      );
    }
    if (thrown instanceof MillraceError) throw thrown;
    throw new Unavailable(`${shownUrl(request.url)} cannot be fetched: ${causeOf(thrown)}`, {
      cause: thrown,
    });
  }
};

/** `fetch` says only «fetch failed»; its cause says why. */
const causeOf = (thrown: unknown): string =>
  thrown instanceof Error && thrown.cause !== undefined ? messageOf(thrown.cause) : messageOf(thrown);

const follow = async ({ url, field }: DownloadRequest, signal: AbortSignal): Promise<Response> => {
  let next = httpUrl(url, field);
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    const response = await fetch(withoutCredentials(next), {
      signal,
      redirect: 'manual',
      headers: credentialsOf(next),
    });
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || location === null) {
      if (!response.ok) throw refused(response, url, field);
      return response;
    }
    await response.body?.cancel();
    const target = httpUrl(new URL(location, next).href, field);
    if (next.protocol === 'https:' && target.protocol === 'http:') {
      throw Invalid.field(field, `${shownUrl(url)} redirects from https to http`);
    }
    next = target;
  }
  throw Invalid.field(field, `${shownUrl(url)} redirects more than ${maxRedirects} times`);
};

const refused = (response: Response, url: string, field: string): MillraceError => {
  const message = `${shownUrl(url)} answered ${response.status} ${response.statusText}`.trimEnd();
  if (response.status >= 500 || response.status === 429 || response.status === 408)
    return new Unavailable(message);
  return Invalid.field(field, message, {
    hint: 'Check the address, and that it needs no further credentials.',
  });
};

const httpUrl = (text: string, field: string): URL => {
  const url = URL.parse(text);
  if (url === null) throw Invalid.field(field, `"${text}" is not an address`);
  if (url.protocol === 'http:' || url.protocol === 'https:') return url;
  throw Invalid.field(field, `addresses of "${url.protocol}" are not supported`, {
    hint: 'Use http, https, or a path in the project.',
  });
};

const withoutCredentials = (url: URL): URL => {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return bare;
};

/** `fetch` takes no credentials in an address. They go to the host that the address names, not where it redirects. */
const credentialsOf = ({ username, password }: URL): Record<string, string> => {
  if (username === '' && password === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
};

const save = async (
  response: Response,
  request: DownloadRequest,
  signal: AbortSignal,
): Promise<Downloaded> => {
  const { limits, field, url } = request;
  const tooLarge = () =>
    Invalid.field(field, `${shownUrl(url)} is larger than ${limits.maxBytes} bytes`, {
      hint: 'Raise MILLRACE_INGEST_MAX_DOWNLOAD_BYTES of the ingest service, or put the file into the project.',
    });
  if (Number(response.headers.get('content-length') ?? 0) > limits.maxBytes) {
    await response.body?.cancel();
    throw tooLarge();
  }
  const hash = createHash('sha256');
  let size = 0;
  const measured = new Transform({
    transform(chunk: Buffer, _, done) {
      size += chunk.length;
      hash.update(chunk);
      done(size > limits.maxBytes ? tooLarge() : null, chunk);
    },
  });
  const body = response.body === null ? Readable.from([]) : Readable.fromWeb(response.body);
  await pipeline(body, measured, createWriteStream(request.path), { signal });
  const etag = response.headers.get('etag');
  return { digest: `sha256:${hash.digest('hex')}`, size, ...(etag === null ? {} : { etag }) };
};

const secretParameter = /sig|token|key|secret|password|credential|auth/i;

/** An address as it may be stored and shown: without user, password and parameters that look like secrets. */
export const shownUrl = (text: string): string => {
  const url = URL.parse(text);
  if (url === null) return text;
  const bare = withoutCredentials(url);
  for (const name of [...bare.searchParams.keys()]) {
    if (secretParameter.test(name)) bare.searchParams.set(name, 'redacted');
  }
  return bare.href;
};
