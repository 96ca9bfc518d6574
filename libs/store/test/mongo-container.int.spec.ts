import { randomUUID } from 'node:crypto';
import { messageOf } from '@millrace/errors';
import { MongoDBContainer, type StartedMongoDBContainer } from '@testcontainers/mongodb';
import { getContainerRuntimeClient } from 'testcontainers';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { describeDocumentStore } from '../src/conformance/index.ts';
import { type DocumentStore, openMongoStore } from '../src/index.ts';

/** Why no container can be started here; `undefined` when one can. */
const obstacle = await getContainerRuntimeClient().then(
  () => undefined,
  (thrown: unknown) => `no Docker engine answers: ${messageOf(thrown)}`,
);

const describeInContainer = (): void => {
  let container: StartedMongoDBContainer;

  // A replica set of one member, so that write concern, read concern and retryable writes are the real ones.
  beforeAll(async () => {
    container = await new MongoDBContainer('mongo:8.0').start();
  }, 300_000);

  afterAll(() => container.stop());

  describeDocumentStore('a real MongoDB', async () => {
    const url = `${container.getConnectionString()}?directConnection=true`;
    const database = `test-${randomUUID()}`;
    const open = (): Promise<DocumentStore> => openMongoStore({ url, database, service: 'training' });
    let store = await open();
    return {
      store,
      reopen: async () => {
        await store.close();
        store = await open();
        return store;
      },
      close: () => store.close(),
    };
  });
};

if (obstacle === undefined) describeInContainer();
else {
  describe('a real MongoDB', () => {
    it('passes the conformance suite', (context) => context.skip(obstacle));
  });
}
