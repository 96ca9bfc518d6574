import { createHmac } from 'node:crypto';

const prefix = 'whsec_';

/** Bytes of a secret; Standard Webhooks asks for 24 to 64. */
export const secretBytes = 32;

/** The form in which a secret is shown: `whsec_` and base64. */
export const formatSecret = (key: Uint8Array): string => `${prefix}${Buffer.from(key).toString('base64')}`;

export interface SignedMessage {
  /** The same for every attempt, so that the receiver can tell a repeat. */
  readonly id: string;
  /** When this attempt is made, milliseconds since the epoch. */
  readonly at: number;
  readonly body: string;
}

/**
 * The headers of Standard Webhooks 1.0.0 (https://www.standardwebhooks.com): one `v1` signature, HMAC-SHA256 over
 * `id.timestamp.body`, for each secret that is valid now.
 */
export const signatureHeaders = (
  { id, at, body }: SignedMessage,
  secrets: readonly string[],
): Readonly<Record<string, string>> => {
  const timestamp = String(Math.floor(at / 1000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(prefix.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
};
