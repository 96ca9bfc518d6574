import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCertificates, TlsStore, tlsFilesIn } from '@millrace/certificates';
import { createLogger } from '@millrace/telemetry';
import { type RpcServer, type RpcServerOptions, startRpcServer } from '../src/grpc-server.ts';
import { PeerChannel } from '../src/index.ts';

/** Certificates of one test, and what uses them, closed at its end. */
export class TlsLab {
  readonly root: string;
  readonly directory: string;
  readonly #closers: (() => unknown)[] = [];

  private constructor(root: string) {
    this.root = root;
    this.directory = join(root, 'certificates');
  }

  static async open(services: readonly string[] = ['registry', 'gateway', 'training']): Promise<TlsLab> {
    const lab = new TlsLab(await mkdtemp(join(tmpdir(), 'millrace-tls-')));
    await createCertificates({ directory: lab.directory, services, now: new Date() });
    return lab;
  }

  /** A second installation, with an authority of its own; `now` may be in the past. */
  async other(name: string, now = new Date(), days = 90): Promise<string> {
    const directory = join(this.root, name);
    await createCertificates({ directory, services: ['registry', 'gateway', 'training'], days, now });
    return directory;
  }

  /** The certificates of a holder; files are looked at only when a test says so. */
  async tls(
    holder: string,
    directory = this.directory,
    more: { crl?: boolean; ca?: string } = {},
  ): Promise<TlsStore> {
    const { crl, ...files } = tlsFilesIn(directory, holder);
    const store = await TlsStore.open(
      { ...files, ...(more.crl === true ? { crl } : {}), ...(more.ca === undefined ? {} : { ca: more.ca }) },
      { pollMs: 3_600_000 },
    );
    this.#closers.push(() => store.close());
    return store;
  }

  async serve(options: Partial<RpcServerOptions> & Pick<RpcServerOptions, 'bindings'>): Promise<RpcServer> {
    const server = await startRpcServer({
      service: 'registry',
      host: '127.0.0.1',
      port: 0,
      log: createLogger('silent'),
      ...options,
    });
    server.setServing(true);
    this.#closers.push(() => server.stop());
    return server;
  }

  channel(port: number, tls: TlsStore | undefined, peer = 'registry'): PeerChannel {
    const channel = new PeerChannel(peer, () => `127.0.0.1:${port}`, tls);
    this.#closers.push(() => channel.close());
    return channel;
  }

  onClose(close: () => unknown): void {
    this.#closers.push(close);
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
    await rm(this.root, { recursive: true, force: true });
  }
}
