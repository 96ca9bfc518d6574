import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '@millrace/errors';
import { MongoDBContainer, type StartedMongoDBContainer } from '@testcontainers/mongodb';
import { getContainerRuntimeClient } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freezeMongoStores, linesOfMongoStore, openStore } from '../src/index.ts';

/** Why no container can be started here; `undefined` when one can. */
const obstacle = await getContainerRuntimeClient().then(
  () => undefined,
  (thrown: unknown) => `no Docker engine answers: ${messageOf(thrown)}`,
);

interface Count {
  readonly count: number;
}

/** How far the only document of a store's copy had come. */
const countIn = async (path: string): Promise<number> => {
  for await (const line of linesOfMongoStore(path)) {
    const { collection, document } = JSON.parse(line);
    if (collection === 'documents.counts') return (JSON.parse(document.document) as Count).count;
  }
  return 0;
};

const cuts = 10;

const describeInContainer = (): void => {
  let container: StartedMongoDBContainer;
  let folder: string;

  beforeAll(async () => {
    container = await new MongoDBContainer('mongo:8.0').start();
    folder = await mkdtemp(join(tmpdir(), 'millrace-snapshot-'));
  }, 300_000);

  afterAll(async () => {
    await container.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('has no effect without its cause, while services write', async () => {
    const url = `${container.getConnectionString()}?directConnection=true`;
    const causes = await openStore({ url, service: 'training' });
    const effects = await openStore({ url, service: 'registry' });
    const counts = [causes, effects].map((store) => store.collection<Count>({ name: 'counts' }));
    let ended = false;
    let written = 0;
    const write = async (): Promise<void> => {
      for (let count = 1; !ended; count += 1) {
        for (const collection of counts) await collection.update('only', () => ({ document: { count } }));
        written = count;
      }
    };
    const writing = write();
    // A failure is thrown below, not before.
    writing.catch(() => {});
    try {
      for (let cut = 0; cut < cuts; cut += 1) {
        const before = written;
        const services = ['training', 'registry'];
        const frozen = await freezeMongoStores({ url, services, stopped: false });
        const paths = services.map((service) => join(folder, `${service}-${cut}.jsonl`));
        try {
          for (const [index, service] of services.entries()) await frozen.copyTo(service, paths[index] ?? '');
          await frozen.check();
        } finally {
          await frozen.close();
        }
        const [cause = 0, effect = 0] = await Promise.all(paths.map(countIn));
        expect([effect, effect + 1]).toContain(cause);
        expect(effect).toBeGreaterThanOrEqual(before);
      }
    } finally {
      ended = true;
      await writing;
      await Promise.all([causes.close(), effects.close()]);
    }
  });
};

describe('a snapshot of a real MongoDB', () => {
  if (obstacle === undefined) describeInContainer();
  else it('has no effect without its cause', (context) => context.skip(obstacle));
});
