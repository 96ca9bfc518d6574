import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NatsServer, startNatsServer } from './server.ts';

/** A server for one spec file: own port, own store, gone afterwards. */
export interface TestBroker {
  readonly url: string;
  readonly storeDir: string;
  readonly server: NatsServer;
  /** Crashes the server (SIGKILL) and, on `start`, brings it back on the same port and store. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Ends the server and deletes its store. */
  stop(): Promise<void>;
}

/**
 * Starts a server with an empty store on a free port.
 *
 * ```ts
 * let broker: TestBroker;
 * beforeAll(async () => { broker = await testBroker(); });
 * afterAll(() => broker.stop());
 * ```
 */
export const testBroker = async (): Promise<TestBroker> => {
  const storeDir = await mkdtemp(join(tmpdir(), 'millrace-broker-'));
  let server = await startNatsServer({ storeDir });
  const { port, url } = server;
  return {
    url,
    storeDir,
    get server() {
      return server;
    },
    kill: () => server.kill(),
    start: async () => {
      server = await startNatsServer({ storeDir, port });
    },
    stop: async () => {
      await server.stop();
      await rm(storeDir, { recursive: true, force: true });
    },
  };
};
