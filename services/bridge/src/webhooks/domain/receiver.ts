import { isIP } from 'node:net';
import { Invalid } from '@millrace/errors';
import type { AllowList } from './address-policy.ts';

/** Where a webhook is posted to, taken apart once; nothing reads the text again. */
export interface Receiver {
  readonly protocol: 'https:' | 'http:';
  /** Name or address, without the brackets of IPv6. */
  readonly host: string;
  readonly port: number;
  /** Path and query. */
  readonly path: string;
  /** The canonical form. */
  readonly url: string;
}

const maxLength = 2048;
const usualPorts: readonly number[] = [443, 8443];
const schemes: readonly string[] = ['https:', 'http:'];

const refuse = (message: string, hint?: string): never => {
  throw Invalid.field('url', message, hint === undefined ? {} : { hint });
};

/** What stands between `//` and the path. */
const authorityOf = (text: string): string => /^[a-z]+:\/\/([^/?#]*)/i.exec(text)?.[1] ?? '';

/** The host as it was written: without port, and lower case. */
const writtenHost = (authority: string): string => authority.replace(/:\d*$/, '').toLowerCase();

/**
 * Reads a receiver's address. Whatever can be written in several ways is refused unless it is written in the usual
 * one, so that nobody who looks at it can take it for another. Throws `Invalid` on `url`.
 */
export const parseReceiver = (text: string, allow: AllowList): Receiver => {
  if (text === '') refuse('is required');
  if (text.length > maxLength) refuse(`must not be longer than ${maxLength} characters`);
  if (!/^[\x21-\x7e]*$/.test(text)) {
    refuse('must be printable ASCII without spaces', 'Write a name in punycode and a path percent-encoded.');
  }
  if (/[\\"<>^`{|}]/.test(text)) refuse('must not hold a character that a URL has to encode');
  if (/%0[ad]/i.test(text)) refuse('must not hold a line end');
  if (!URL.canParse(text)) refuse('is not a URL');
  const url = new URL(text);
  if (!schemes.includes(url.protocol)) refuse('must begin with https://');
  const authority = authorityOf(text);
  if (authority.includes('@') || url.username !== '' || url.password !== '') {
    refuse('must not hold a user or a password', 'The signature tells the receiver who sends.');
  }
  if (text.includes('#')) refuse('must not hold a fragment: it would not be sent');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (writtenHost(authority) !== url.hostname) {
    refuse(`the host must be written as "${url.hostname}"`);
  }
  if (host.endsWith('.')) refuse('the host must not end with a dot');
  return checkPlace(url, host, allow);
};

const checkPlace = (url: URL, host: string, allow: AllowList): Receiver => {
  const named = allow.names(host);
  if (url.protocol === 'http:' && !named) {
    refuse('must begin with https://', 'Only receivers named in MILLRACE_WEBHOOK_ALLOW may use http.');
  }
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  if (!usualPorts.includes(port) && !named) {
    refuse(
      `the port must be ${usualPorts.join(' or ')}`,
      'Only receivers named in MILLRACE_WEBHOOK_ALLOW may use others.',
    );
  }
  if (/(^|\.)localhost$/.test(host) && !named) refuse(`"${host}" is this machine`);
  if (isIP(host) !== 0) allow.check(host, [host]);
  return {
    protocol: url.protocol as Receiver['protocol'],
    host,
    port,
    path: `${url.pathname}${url.search}`,
    url: url.href,
  };
};

/** The address without its query, which may hold a secret of the receiver's, for events and logs. */
export const shownUrl = (url: string): string => url.replace(/\?.*$/, '?…');
