import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { FailedPrecondition, Invalid, messageOf } from '@millrace/errors';
import { splitPem } from './authority.ts';
import { type Identity, identityOf } from './identity.ts';

/** Where the PEM files are by which somebody shows who it is and checks who others are. */
export interface TlsFiles {
  /** Authorities that are trusted; during a change of authority, several. */
  readonly ca: string;
  /** The own certificate, with those between it and the authority; with its key, or neither. */
  readonly certificate?: string;
  readonly key?: string;
  /** Lists of revoked certificates, one of each authority. */
  readonly crl?: string;
}

/** The files of a holder in a directory of certificates. */
export const tlsFilesIn = (directory: string, holder: string): Required<TlsFiles> => ({
  ca: join(directory, holder, 'ca.crt'),
  certificate: join(directory, holder, 'tls.crt'),
  key: join(directory, holder, 'tls.key'),
  crl: join(directory, holder, 'ca.crl'),
});

/** What was read of the files, checked to fit together. */
export interface TlsMaterial {
  /** For `tls.createSecureContext` and everything that takes its options. */
  readonly options: Readonly<SecureContextOptions>;
  /** For one connection after the other. */
  readonly context: SecureContext;
  /** Who the own certificate says we are; `undefined` without one, or when it was not made for Millrace. */
  readonly identity: Identity | undefined;
  /** When the own certificate ends. */
  readonly expires: Date | undefined;
}

export interface TlsStoreOptions {
  /** Milliseconds between two looks at the files. */
  readonly pollMs?: number;
  /** Told of changes that cannot be used, each once; what was read before stays in use. */
  readonly onProblem?: (problem: string) => void;
  /** Told once of each own certificate that ends within a day or has ended. */
  readonly onExpiring?: (expires: Date) => void;
}

const defaultPollMs = 1_000;
const dayMs = 86_400_000;

type Texts = Readonly<Record<keyof TlsFiles, string | undefined>>;
type Listener = (material: TlsMaterial) => void;

/**
 * The certificates of a process, read again when their files change, so that each handshake uses the present ones.
 * Connections that are established go on.
 */
export class TlsStore {
  readonly #files: TlsFiles;
  readonly #onProblem: (problem: string) => void;
  readonly #onExpiring: (expires: Date) => void;
  readonly #listeners = new Set<Listener>();
  readonly #timer: NodeJS.Timeout;
  #material: TlsMaterial;
  #warnedOf: TlsMaterial | undefined;
  /** What was looked at last, whether or not it could be used. */
  #seen: string;

  /** Throws `Invalid`, naming the file, when one cannot be read or does not fit the others. */
  static async open(files: TlsFiles, options: TlsStoreOptions = {}): Promise<TlsStore> {
    const texts = await readTexts(files);
    return new TlsStore(files, options, texts, materialOf(files, texts));
  }

  private constructor(
    files: TlsFiles,
    { pollMs = defaultPollMs, onProblem = () => {}, onExpiring = () => {} }: TlsStoreOptions,
    texts: Texts,
    material: TlsMaterial,
  ) {
    this.#files = files;
    this.#onProblem = onProblem;
    this.#onExpiring = onExpiring;
    this.#material = material;
    this.#seen = JSON.stringify(texts);
    let looking = false;
    this.#timer = setInterval(() => {
      if (looking) return;
      looking = true;
      void this.refresh().finally(() => {
        looking = false;
        this.#warnOfEnd();
      });
    }, pollMs);
    this.#timer.unref();
  }

  get current(): TlsMaterial {
    return this.#material;
  }

  /** Calls back after each change. Returns how to stop. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Looks at the files now. Certificate and key cannot be replaced in one moment: what does not fit together is left
   * alone until it does.
   */
  async refresh(): Promise<void> {
    let texts: Texts;
    try {
      texts = await readTexts(this.#files);
    } catch (thrown) {
      this.#report(messageOf(thrown), messageOf(thrown));
      return;
    }
    const seen = JSON.stringify(texts);
    if (seen === this.#seen) return;
    try {
      this.#material = materialOf(this.#files, texts);
    } catch (thrown) {
      this.#report(seen, messageOf(thrown));
      return;
    }
    this.#seen = seen;
    for (const listener of this.#listeners) listener(this.#material);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
  }

  #warnOfEnd(): void {
    const material = this.#material;
    const { expires } = material;
    if (expires === undefined || this.#warnedOf === material) return;
    if (expires.getTime() - Date.now() > dayMs) return;
    this.#warnedOf = material;
    this.#onExpiring(expires);
  }

  #report(seen: string, problem: string): void {
    if (seen === this.#seen) return;
    this.#seen = seen;
    this.#onProblem(problem);
  }
}

const readTexts = async (files: TlsFiles): Promise<Texts> => {
  const read = async (path: string | undefined): Promise<string | undefined> => {
    if (path === undefined) return undefined;
    try {
      return await readFile(path, 'utf8');
    } catch (thrown) {
      throw Invalid.field(path, `cannot be read: ${(thrown as NodeJS.ErrnoException).code}`, {
        cause: thrown,
      });
    }
  };
  return {
    ca: await read(files.ca),
    certificate: await read(files.certificate),
    key: await read(files.key),
    crl: await read(files.crl),
  };
};

const materialOf = (files: TlsFiles, texts: Texts): TlsMaterial => {
  const certificate = ownCertificate(files, texts);
  const ca = splitPem(texts.ca ?? '', 'CERTIFICATE');
  if (ca.length === 0) throw Invalid.field(files.ca, 'holds no certificate of an authority');
  const options: SecureContextOptions = {
    ca: [...ca],
    minVersion: 'TLSv1.3',
    ...(certificate === undefined ? {} : { cert: texts.certificate ?? '', key: texts.key ?? '' }),
    ...crlOf(files, texts),
  };
  return {
    options,
    context: checked(files.ca, 'cannot be used', () => createSecureContext(options)),
    identity: certificate === undefined ? undefined : identityOf(certificate),
    expires: certificate?.validToDate,
  };
};

const ownCertificate = (files: TlsFiles, texts: Texts): X509Certificate | undefined => {
  if (files.certificate === undefined && files.key === undefined) return undefined;
  if (files.certificate === undefined || files.key === undefined) {
    throw Invalid.field(
      files.certificate ?? files.key ?? '',
      'is of no use alone: a certificate and its key are needed',
    );
  }
  const certificate = checked(files.certificate, 'is no certificate', () => {
    return new X509Certificate(texts.certificate ?? '');
  });
  const key = checked(files.key, 'is no private key', () => createPrivateKey(texts.key ?? ''));
  if (certificate.checkPrivateKey(key)) return certificate;
  throw Invalid.field(files.key, `is not the key of the certificate in ${files.certificate}`);
};

/** Node reads one list of each text only. */
const crlOf = (files: TlsFiles, texts: Texts): { crl?: string[] } => {
  if (files.crl === undefined) return {};
  const lists = splitPem(texts.crl ?? '', 'X509 CRL');
  if (lists.length === 0) throw Invalid.field(files.crl, 'holds no list of revoked certificates');
  return { crl: [...lists] };
};

const checked = <T>(path: string, problem: string, read: () => T): T => {
  try {
    return read();
  } catch (thrown) {
    // The message of the library is about bytes; it never quotes them.
    throw Invalid.field(path, `${problem} (${messageOf(thrown)})`, { cause: thrown });
  }
};

/** For `checkServerIdentity`: refuses a server whose certificate is not that of the one that was called. */
export const expectServer =
  (expected: Identity) =>
  (_host: string, peer: { readonly raw: Buffer }): Error | undefined => {
    const found = identityOf(new X509Certificate(peer.raw));
    if (found?.kind === expected.kind && found.name === expected.name) return undefined;
    const told = found === undefined ? 'nobody of Millrace' : `${found.kind} ${found.name}`;
    return new FailedPrecondition(
      `its certificate is that of ${told}, not of ${expected.kind} ${expected.name}`,
    );
  };
