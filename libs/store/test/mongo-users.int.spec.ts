import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ErrorCode, type MillraceError, messageOf } from '@millrace/errors';
import { MongoDBContainer, type StartedMongoDBContainer } from '@testcontainers/mongodb';
import { MongoClient } from 'mongodb';
import { getContainerRuntimeClient } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type DocumentStore, openMongoStore } from '../src/index.ts';
import { type FerretServer, startFerretServer } from './ferretdb-server.ts';

const passwords = { training: 'training’s long password', registry: 'registry: another one' };
type Service = keyof typeof passwords;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-mongo-users-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const passwordFile = async (name: string, password: string): Promise<string> => {
  const file = join(directory, name);
  await writeFile(file, `${password}\n`);
  return file;
};

const errorOf = (failing: Promise<unknown>): Promise<MillraceError> =>
  failing.then(
    () => Promise.reject(new Error('it did not fail')),
    (thrown: MillraceError) => thrown,
  );

interface Server {
  readonly url: string;
  setPassword(service: Service, password: string): Promise<void>;
}

/** What holds on every server that checks passwords. */
const describePasswords = (server: () => Server): void => {
  const open = async (service: Service, user: string, file: string): Promise<DocumentStore> =>
    openMongoStore({
      url: server().url,
      database: `millrace_${service}`,
      service,
      access: { user: { name: user, passwordFile: file } },
      patienceMs: 500,
    });

  it('lets a service in with the password of its file, and goes on when it is changed', async () => {
    const file = await passwordFile('changing', passwords.training);
    const store = await open('training', 'training', file);
    const runs = store.collection<{ count: number }>({ name: 'runs' });
    await runs.insert('r1', { count: 0 });
    await server().setPassword('training', 'the next password');
    await writeFile(file, 'the next password');
    // Connections that were made before are not asked again: many calls at once need new ones.
    const counts = Array.from({ length: 40 }, () =>
      runs.update('r1', (current) => ({ document: { count: (current?.document.count ?? 0) + 1 } })),
    );
    await Promise.all(counts);
    expect((await runs.get('r1'))?.document).toEqual({ count: 40 });
    await store.close();
    await server().setPassword('training', passwords.training);
  });

  it('refuses a wrong password and an unknown user at once, and says what to check', async () => {
    const wrong = await passwordFile('wrong', 'quite something else');
    for (const user of ['training', 'nobody']) {
      const error = await errorOf(open('training', user, wrong));
      expect(error).toMatchObject({
        code: ErrorCode.failedPrecondition,
        hint: expect.stringContaining('password'),
      });
      expect(error.message).not.toContain('something else');
    }
  });
};

// FerretDB is built from its sources, which is too long for every run.
const ferret = describe.runIf(process.env.MILLRACE_TEST_FERRETDB === '1');

ferret('users of a server that checks passwords', () => {
  let server: FerretServer;
  let administrator: MongoClient;
  beforeAll(async () => {
    server = await startFerretServer();
    administrator = new MongoClient(`mongodb://127.0.0.1:${server.port}/?directConnection=true`, {
      auth: server.administrator,
    });
    await vi.waitFor(() => administrator.db('admin').command({ ping: 1 }), {
      timeout: 60_000,
      interval: 200,
    });
    await administrator
      .db('millrace_training')
      .command({ createUser: 'training', pwd: passwords.training, roles: [] });
  }, 900_000);
  afterAll(async () => {
    await administrator?.close();
    await server?.stop();
  });

  describePasswords(() => ({
    url: `mongodb://127.0.0.1:${server.port}/?directConnection=true`,
    setPassword: async (service, pwd) => {
      await administrator.db(`millrace_${service}`).command({ updateUser: service, pwd });
    },
  }));
});

/** Why no container can be started here; `undefined` when one can. */
const obstacle = await getContainerRuntimeClient().then(
  () => undefined,
  (thrown: unknown) => `no Docker engine answers: ${messageOf(thrown)}`,
);

const script = join(import.meta.dirname, '..', '..', '..', 'infra', 'mongodb', 'create-users.js');

const describeInContainer = (): void => {
  let container: StartedMongoDBContainer;
  const root = { username: 'root', password: 'of-this-test-only' };

  const createUsers = async (): Promise<string> => {
    const { exitCode, output } = await container.exec([
      'bash',
      '-c',
      'MILLRACE_MONGODB_PASSWORDS=/passwords mongosh --quiet --username root --password "$0" --file /create-users.js',
      root.password,
    ]);
    expect(output).not.toContain(passwords.training);
    if (exitCode !== 0) throw new Error(output);
    return output;
  };
  const setPassword = async (service: Service, password: string): Promise<void> => {
    await container.copyContentToContainer([{ content: password, target: `/passwords/${service}` }]);
    await createUsers();
  };

  beforeAll(async () => {
    container = await new MongoDBContainer('mongo:8.0')
      .withUsername(root.username)
      .withPassword(root.password)
      .withCopyFilesToContainer([{ source: script, target: '/create-users.js' }])
      .withCopyContentToContainer(
        Object.entries(passwords).map(([service, content]) => ({ content, target: `/passwords/${service}` })),
      )
      .start();
    await createUsers();
  }, 300_000);
  afterAll(() => container.stop());

  const url = () =>
    `mongodb://${container.getHost()}:${container.getMappedPort(27017)}/?directConnection=true`;
  describePasswords(() => ({ url: url(), setPassword }));

  it('are made by a script that can be repeated', async () => {
    expect(await createUsers()).toContain('training: renewed');
  });

  it.each(Object.keys(passwords) as Service[])(
    '%s may use its own database and no other',
    async (service) => {
      const client = new MongoClient(url(), {
        auth: { username: service, password: passwords[service] },
        authSource: `millrace_${service}`,
      });
      try {
        for (const other of [...Object.keys(passwords), 'deployment', 'none']) {
          const runs = client.db(`millrace_${other}`).collection('probe');
          const outcomes = await Promise.allSettled([
            runs.insertOne({ at: 1 }),
            runs.findOne({}),
            runs.createIndex('at'),
          ]);
          const allowed = outcomes.map(({ status }) => status === 'fulfilled');
          expect([other, ...allowed]).toEqual([other, ...Array<boolean>(3).fill(other === service)]);
        }
        const admin = client.db('admin');
        await expect(admin.command({ listDatabases: 1, authorizedDatabases: false })).rejects.toThrow();
        const more = client.db(`millrace_${service}`);
        const grant = { grantRolesToUser: service, roles: [{ role: 'readWrite', db: 'millrace_none' }] };
        await expect(more.command(grant)).rejects.toThrow();
      } finally {
        await client.close();
      }
    },
  );
};

describe('users of a real MongoDB', () => {
  if (obstacle === undefined) describeInContainer();
  else it('are each confined to their database', (context) => context.skip(obstacle));
});
