import { afterAll, beforeAll, beforeEach } from 'vitest';
import { findObstacle, type MongoServer, startMongoServer } from './mongo-server.ts';

/** A server for all tests of a file, which are skipped where it cannot be had. */
export const useMongoServer = (): Pick<MongoServer, 'port' | 'url'> => {
  let obstacle: string | undefined;
  let server: MongoServer | undefined;
  const started = (): MongoServer => {
    if (server === undefined) throw new Error('the server is not started yet');
    return server;
  };
  beforeAll(async () => {
    obstacle = await findObstacle();
    if (obstacle === undefined) server = await startMongoServer();
  }, 300_000);
  beforeEach((context) => {
    if (obstacle !== undefined) context.skip(obstacle);
  });
  afterAll(() => server?.kill());
  return {
    get port() {
      return started().port;
    },
    get url() {
      return started().url;
    },
  };
};
