import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { FailedPrecondition, Invalid } from '@millrace/errors';

interface Key {
  /** Names the key in what it sealed; tells nothing of it. */
  readonly id: string;
  readonly bytes: Buffer;
}

const keyBytes = 32;
const ivBytes = 12;
const tagBytes = 16;
const variable = 'MILLRACE_SECRETS_KEY';

const keyOf = (text: string): Key => {
  const bytes = Buffer.from(text, /^[0-9a-f]{64}$/i.test(text) ? 'hex' : 'base64');
  if (bytes.length !== keyBytes) {
    // The text itself must not get into a message.
    throw Invalid.field(variable, `each key must be ${keyBytes} bytes, in base64 or as 64 hex digits`, {
      hint: 'Make one with `openssl rand -base64 32`.',
    });
  }
  return { id: createHash('sha256').update(bytes).digest('hex').slice(0, 8), bytes };
};

/**
 * Keeps secrets at rest: encrypted with AES-256-GCM, bound to their owner's id, when there is a key; else as they are,
 * in a store that only the service's user may read.
 */
export class SecretBox {
  readonly #keys: readonly Key[];

  /** `keys`: separated by commas, the first seals and all of them open; undefined: none. Throws `Invalid`. */
  constructor(keys: string | undefined) {
    this.#keys = (keys ?? '')
      .split(',')
      .map((text) => text.trim())
      .filter((text) => text !== '')
      .map(keyOf);
  }

  seal(owner: string, secret: string): string {
    const [key] = this.#keys;
    if (key === undefined) return `plain:${secret}`;
    const iv = randomBytes(ivBytes);
    const cipher = createCipheriv('aes-256-gcm', key.bytes, iv).setAAD(Buffer.from(owner));
    const sealed = Buffer.concat([iv, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `aes-256-gcm:${key.id}:${sealed.toString('base64')}`;
  }

  /** Throws `FailedPrecondition` when the key is not given or the stored text was changed. */
  open(owner: string, sealed: string): string {
    const [form, ...rest] = sealed.split(':');
    if (form === 'plain') return rest.join(':');
    const [id, text = ''] = rest;
    const key = this.#keys.find((candidate) => candidate.id === id);
    if (key === undefined) {
      throw new FailedPrecondition(`the secret is encrypted with the key ${id}, which ${variable} lacks`);
    }
    const bytes = Buffer.from(text, 'base64');
    const decipher = createDecipheriv('aes-256-gcm', key.bytes, bytes.subarray(0, ivBytes))
      .setAAD(Buffer.from(owner))
      .setAuthTag(bytes.subarray(-tagBytes));
    try {
      const open = decipher.update(bytes.subarray(ivBytes, -tagBytes));
      return Buffer.concat([open, decipher.final()]).toString('utf8');
    } catch {
      throw new FailedPrecondition('the stored secret was damaged or belongs to another webhook');
    }
  }

  /** Whether it was sealed otherwise than `seal` does now. */
  isOutdated(sealed: string): boolean {
    const [key] = this.#keys;
    return key !== undefined && !sealed.startsWith(`aes-256-gcm:${key.id}:`);
  }
}
