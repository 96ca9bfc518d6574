import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Internal } from '@millrace/errors';
import { findFreePorts } from './free-ports.ts';
import { type NatsServer, type NatsServerOptions, startNatsServer } from './server.ts';

/** One server of a test's cluster; it keeps its name, ports and store over crashes. */
export interface ClusterNode {
  /** `n1`, as the servers call each other. */
  readonly name: string;
  readonly url: string;
  readonly storeDir: string;
  /** Whether its process runs. */
  readonly running: boolean;
  /** Ends it with SIGKILL, as a crash would. */
  kill(): Promise<void>;
  /** Brings it back on the same ports and store. */
  start(): Promise<void>;
}

/** A cluster for one spec file, on loopback, gone afterwards. */
export interface TestCluster {
  /** All addresses, comma separated, as `NATS_URL` takes them. */
  readonly url: string;
  readonly nodes: readonly ClusterNode[];
  /** Throws `Internal` when no server has that name. */
  node(name: string): ClusterNode;
  /** Ends all servers and deletes their stores. */
  stop(): Promise<void>;
}

/** What the streams' limits add up to fits several times. */
const maxStoreBytes = 4 * 1024 ** 3;

/** Starts servers that form one JetStream cluster: each with a store and ports of its own. */
export const testCluster = async (
  size = 3,
  options: Pick<NatsServerOptions, 'authorization' | 'tls'> = {},
): Promise<TestCluster> => {
  const root = await mkdtemp(join(tmpdir(), 'millrace-cluster-'));
  const ports = await findFreePorts('127.0.0.1', 2 * size);
  const clientPorts = ports.slice(0, size);
  const routePorts = ports.slice(size);
  const routes = routePorts.map((port) => `nats://127.0.0.1:${port}`);
  const nodes = clientPorts.map((port, index) =>
    clusterNode(`n${index + 1}`, {
      ...options,
      storeDir: join(root, `n${index + 1}`),
      port,
      maxStoreBytes,
      cluster: { name: 'millrace', port: routePorts[index] ?? 0, routes },
    }),
  );
  await Promise.all(nodes.map((node) => node.start()));
  return {
    url: nodes.map(({ url }) => url).join(','),
    nodes,
    node: (name) => {
      const found = nodes.find((node) => node.name === name);
      if (found === undefined) throw new Internal(`there is no server ${name}`);
      return found;
    },
    stop: async () => {
      await Promise.all(nodes.map((node) => node.kill()));
      await rm(root, { recursive: true, force: true });
    },
  };
};

const clusterNode = (name: string, options: NatsServerOptions & { readonly port: number }): ClusterNode => {
  let server: NatsServer | undefined;
  return {
    name,
    url: `nats://127.0.0.1:${options.port}`,
    storeDir: options.storeDir,
    get running() {
      return server !== undefined;
    },
    kill: async () => {
      const running = server;
      server = undefined;
      await running?.kill();
    },
    start: async () => {
      server ??= await startNatsServer({ ...options, serverName: name });
    },
  };
};
