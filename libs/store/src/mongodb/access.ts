import { readFileSync } from 'node:fs';
import { type TlsFiles, TlsStore } from '@millrace/certificates';
import { Invalid } from '@millrace/errors';
import type { MongoClientOptions } from 'mongodb';
import type { StoreLogger } from '../store-logger.ts';

/** How a service shows MongoDB who it is, and checks MongoDB. */
export interface MongoAccess {
  /** The service's own user, of its own database unless the address has `authSource`. */
  readonly user?: { readonly name: string; readonly passwordFile: string };
  /** TLS with what these files hold: the authorities of MongoDB, and a certificate where it wants one. */
  readonly tls?: TlsFiles;
}

/** The user and certificates of one store, as their files hold them at the time of each new client. */
export class AccessFiles {
  readonly #access: MongoAccess;
  readonly #authSource: string;
  readonly #tls: TlsStore | undefined;
  #password: string | undefined;

  /** Throws `Invalid`, naming the file, when one cannot be read or used. */
  static async open(
    access: MongoAccess,
    { url, database, logger }: { url: string; database: string; logger?: StoreLogger | undefined },
  ): Promise<AccessFiles> {
    const authority = url.replace(/^[^:]*:\/\//, '').split('/')[0] ?? '';
    if (access.user !== undefined && authority.includes('@')) {
      throw Invalid.field('url', 'holds a user, and another is named besides', {
        hint: 'Leave the user and its password out of the address.',
      });
    }
    const named = /[?&]authSource=([^&]*)/.exec(url)?.[1];
    const onProblem = (problem: string) =>
      logger?.warn({ problem }, 'changed certificates cannot be used; those read before stay in use');
    const tls = access.tls === undefined ? undefined : await TlsStore.open(access.tls, { onProblem });
    const files = new AccessFiles(access, named === undefined ? database : decodeURIComponent(named), tls);
    try {
      files.clientOptions();
    } catch (thrown) {
      files.close();
      throw thrown;
    }
    return files;
  }

  private constructor(access: MongoAccess, authSource: string, tls: TlsStore | undefined) {
    this.#access = access;
    this.#authSource = authSource;
    this.#tls = tls;
  }

  /** Options of a client that is made now. Throws `Invalid` when the password cannot be read. */
  clientOptions(): MongoClientOptions {
    const { user } = this.#access;
    const options: MongoClientOptions = {};
    if (user !== undefined) {
      this.#password = readPassword(user.passwordFile);
      options.auth = { username: user.name, password: this.#password };
      options.authSource = this.#authSource;
    }
    if (this.#tls !== undefined) {
      const { ca, cert, key, crl } = this.#tls.current.options;
      Object.assign(options, { tls: true, ca, cert, key, crl });
    }
    return options;
  }

  /** Whether the password is another than that of the last client. */
  hasNewPassword(): boolean {
    const { user } = this.#access;
    if (user === undefined) return false;
    try {
      return readPassword(user.passwordFile) !== this.#password;
    } catch {
      // While it is being replaced.
      return false;
    }
  }

  /** Calls back when there are new certificates. */
  onNewCertificates(listener: () => void): void {
    this.#tls?.onChange(listener);
  }

  close(): void {
    this.#tls?.close();
  }
}

const readPassword = (file: string): string => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (thrown) {
    throw Invalid.field(file, `the password cannot be read: ${(thrown as NodeJS.ErrnoException).code}`, {
      cause: thrown,
    });
  }
  // Editors end a file with a line end.
  const password = text.replace(/\r?\n$/, '');
  if (password === '') throw Invalid.field(file, 'holds no password');
  return password;
};
