import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServiceName, serviceNames } from '@millrace/service-kit';
import { preloadOption, type Routes } from './service-preload.ts';

/** Which way nothing gets through. */
export interface Cut {
  readonly there: boolean;
  readonly back: boolean;
}

const whole: Cut = { there: false, back: false };

/** One way from a service to a peer or the broker. What is cut is held, as the network's senders hold it, until it is healed. */
class Link {
  readonly port: number;
  readonly #server: Server;
  readonly #pairs = new Set<{ readonly near: Socket; readonly far: Socket | undefined }>();
  readonly #waiting = new Set<Socket>();
  readonly #target: () => Promise<string>;
  #cut: Cut = whole;

  private constructor(server: Server, target: () => Promise<string>) {
    this.#server = server;
    this.#target = target;
    this.port = (server.address() as AddressInfo).port;
  }

  static async open(target: () => Promise<string>): Promise<Link> {
    const server = createServer((near) => void link.#join(near));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const link: Link = new Link(server, target);
    return link;
  }

  cut(cut: Cut): void {
    this.#cut = cut;
    for (const { near, far } of this.#pairs) if (far !== undefined) this.#apply(near, far);
    if (cut.there) return;
    for (const near of this.#waiting) void this.#join(near);
    this.#waiting.clear();
  }

  close(): void {
    this.#server.close();
    for (const { near, far } of this.#pairs) {
      near.destroy();
      far?.destroy();
    }
    for (const near of this.#waiting) near.destroy();
  }

  async #join(near: Socket): Promise<void> {
    near.on('error', () => {});
    if (this.#cut.there) {
      near.pause();
      this.#waiting.add(near);
      return;
    }
    const [host = '', port = ''] = (await this.#target()).split(':');
    const far = connect(Number(port), host);
    const pair = { near, far };
    this.#pairs.add(pair);
    near.on('data', (piece: Buffer) => far.write(piece));
    far.on('data', (piece: Buffer) => near.write(piece));
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#pairs.delete(pair);
        near.destroy();
        far.destroy();
      });
    }
    this.#apply(near, far);
  }

  #apply(near: Socket, far: Socket): void {
    if (this.#cut.there) near.pause();
    else near.resume();
    if (this.#cut.back) far.pause();
    else far.resume();
  }
}

const kinds = ['GRPC', 'HTTP'] as const;
const brokerVariable = 'NATS_URL';

/** A proxy on the way of every service to every other and to the broker. */
export class Partitions {
  /** For the installation. */
  readonly env: Readonly<Record<string, string>>;
  readonly #links: ReadonlyMap<string, readonly Link[]>;
  readonly #directory: string;

  private constructor(directory: string, routes: string, links: ReadonlyMap<string, readonly Link[]>) {
    this.#directory = directory;
    this.#links = links;
    this.env = { NODE_OPTIONS: preloadOption, MILLRACE_TEST_ROUTES: routes };
  }

  static async open(brokerUrl: string): Promise<Partitions> {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-partitions-'));
    const file = join(directory, 'routes.json');
    const links = new Map<string, readonly Link[]>();
    const routes: Record<string, Record<string, string>> = {};
    for (const service of serviceNames) {
      const own: Record<string, string> = {};
      const broker = await Link.open(async () => new URL(brokerUrl).host);
      own[brokerVariable] = `nats://127.0.0.1:${broker.port}`;
      links.set(`${service} broker`, [broker]);
      for (const peer of serviceNames.filter((name) => name !== service)) {
        const ways = await Promise.all(
          kinds.map(async (kind) => {
            const name = `MILLRACE_${peer.toUpperCase()}_${kind}`;
            const link = await Link.open(() => readFile(join(`${file}.targets`, name), 'utf8'));
            own[name] = `127.0.0.1:${link.port}`;
            return link;
          }),
        );
        links.set(`${service} ${peer}`, ways);
      }
      routes[service] = own;
    }
    await writeFile(file, JSON.stringify(routes satisfies Routes));
    return new Partitions(directory, file, links);
  }

  /** Lets nothing through between a service and a peer or the broker; by default in neither direction. */
  cut(service: ServiceName, peer: ServiceName | 'broker', cut: Cut = { there: true, back: true }): void {
    for (const link of this.#links.get(`${service} ${peer}`) ?? []) link.cut(cut);
    // Calls that the peer makes go the other way round.
    for (const link of this.#links.get(`${peer} ${service}`) ?? []) {
      link.cut({ there: cut.back, back: cut.there });
    }
  }

  heal(service: ServiceName, peer: ServiceName | 'broker'): void {
    this.cut(service, peer, whole);
  }

  async close(): Promise<void> {
    for (const link of [...this.#links.values()].flat()) link.close();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
