import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { createCertificates, renewCertificates, TlsStore, tlsFilesIn } from '@millrace/certificates';
import { ErrorCode, errorToJson, type MillraceError } from '@millrace/errors';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DocumentStore, type MongoAccess, openMongoStore } from '../src/index.ts';
import { useMongoServer } from './use-mongo-server.ts';

const server = useMongoServer();

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-mongo-access-'));
  await createCertificates({
    directory: join(root, 'certificates'),
    services: ['training'],
    now: new Date(),
  });
  await createCertificates({ directory: join(root, 'foreign'), services: ['training'], now: new Date() });
});
afterAll(() => rm(root, { recursive: true, force: true }));

const files = (holder: string, directory = 'certificates') => tlsFilesIn(join(root, directory), holder);

/** MongoDB's TLS: ends it before the server, asks for a certificate, and tells whose was shown. */
const openTlsFront = async (): Promise<{ url: string; shown: string[]; close: () => void }> => {
  const { ca, certificate, key } = files('mongodb');
  const store = await TlsStore.open({ ca, certificate, key });
  store.close();
  const shown: string[] = [];
  const sockets = new Set<{ destroy: () => unknown }>();
  const front: Server = createServer(
    { ...store.current.options, requestCert: true, rejectUnauthorized: true },
    (socket: TLSSocket) => {
      shown.push(socket.getPeerX509Certificate()?.serialNumber ?? '');
      const upstream = connect(server.port, '127.0.0.1');
      for (const end of [socket, upstream]) {
        sockets.add(end);
        end.on('error', () => {});
        end.on('close', () => {
          socket.destroy();
          upstream.destroy();
        });
      }
      socket.pipe(upstream).pipe(socket);
    },
  );
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  return {
    url: `mongodb://127.0.0.1:${(front.address() as AddressInfo).port}/?directConnection=true`,
    shown,
    close: () => {
      front.close();
      for (const socket of sockets) socket.destroy();
    },
  };
};

const database = 'millrace_training';
const stores: DocumentStore[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});

const open = async (url: string, access: MongoAccess): Promise<DocumentStore> => {
  // What fails here fails for good: there is nothing to be patient for.
  const store = await openMongoStore({ url, database, service: 'training', access, patienceMs: 100 });
  stores.push(store);
  return store;
};

const errorOf = (failing: Promise<unknown>): Promise<MillraceError> =>
  failing.then(
    () => Promise.reject(new Error('it did not fail')),
    (thrown: MillraceError) => thrown,
  );

/** Everything that could come to be read of an error: in an answer, in a log, on a terminal. */
const everythingOf = (error: MillraceError): string => {
  const parts: string[] = [];
  for (let at: Error | undefined = error; at !== undefined; at = at.cause as Error | undefined) {
    parts.push(at.message, at.stack ?? '', JSON.stringify(at));
  }
  return [...parts, JSON.stringify(errorToJson(error))].join('\n');
};

describe('TLS to MongoDB', () => {
  let front: Awaited<ReturnType<typeof openTlsFront>>;
  beforeEach(async () => {
    front = await openTlsFront();
  });
  afterEach(() => front.close());

  it('is made with the certificate of the service', async () => {
    const { ca, certificate, key } = files('training');
    const store = await open(front.url, { tls: { ca, certificate, key } });
    const runs = store.collection<{ name: string }>({ name: 'runs' });
    await runs.insert('r1', { name: 'first' });
    expect((await runs.get('r1'))?.document).toEqual({ name: 'first' });
    expect(new Set(front.shown).size).toBe(1);
  });

  it('takes new certificates without a restart, and loses nothing', async () => {
    const { ca, certificate, key } = files('training');
    const store = await open(front.url, { tls: { ca, certificate, key } });
    const runs = store.collection<{ count: number }>({ name: 'rotations' });
    await runs.insert('r1', { count: 0 });
    let updates = 0;
    await renewCertificates({
      directory: join(root, 'certificates'),
      names: ['training'],
      all: true,
      now: new Date(),
    });
    await expect
      .poll(
        async () => {
          const stored = await runs.update('r1', (current) => ({
            document: { count: (current?.document.count ?? 0) + 1 },
          }));
          updates = stored?.document.count ?? 0;
          return new Set(front.shown).size;
        },
        { timeout: 60_000 },
      )
      .toBe(2);
    expect(updates).toBeGreaterThan(0);
    expect(await runs.get('r1')).toMatchObject({ version: updates + 1, document: { count: updates } });
  });

  it('is not made to a server of another authority', async () => {
    const { certificate, key } = files('training');
    const { ca } = files('training', 'foreign');
    const error = await errorOf(open(front.url, { tls: { ca, certificate, key } }));
    expect(error.code).toBe(ErrorCode.unavailable);
    expect(error.message).toMatch(/self-signed certificate|unable to (get|verify)/);
  });

  it('is refused by a server that wants a certificate', async () => {
    const error = await errorOf(open(front.url, { tls: { ca: files('training').ca } }));
    expect(error.code).toBe(ErrorCode.unavailable);
    expect(front.shown).toEqual([]);
  });

  it('is not given up for a server without it', async () => {
    const { ca } = files('training');
    const error = await errorOf(open(`${server.url}/?directConnection=true`, { tls: { ca } }));
    expect(error.code).toBe(ErrorCode.unavailable);
  });

  it('needs files that can be read, and names one that cannot', async () => {
    const error = await errorOf(open(front.url, { tls: { ca: join(root, 'nowhere.crt') } }));
    expect(error).toMatchObject({ code: ErrorCode.invalid });
    expect(error.message).toContain('nowhere.crt: cannot be read: ENOENT');
  });
});

describe('the password for MongoDB', () => {
  const secret = 'correct horse/battery@staple';
  let passwordFile: string;
  beforeAll(async () => {
    passwordFile = join(root, 'password');
    await writeFile(passwordFile, `${secret}\n`);
  });
  const user = () => ({ user: { name: 'training', passwordFile } });

  it('shows in no error, wherever the failure comes from', async () => {
    const urls = [
      // This server knows no users.
      `${server.url}/?directConnection=true`,
      // Nobody is there.
      'mongodb://127.0.0.1:1/?directConnection=true',
      'mongodb://127.0.0.1:nonsense',
    ];
    for (const error of await Promise.all(urls.map((url) => errorOf(open(url, user()))))) {
      expect(everythingOf(error)).not.toContain('battery');
    }
  });

  it('shows in no error when it stands in the address', async () => {
    const encoded = `training:${encodeURIComponent(secret)}@`;
    const addresses = [
      `mongodb://${encoded}127.0.0.1:1/?directConnection=true`,
      `mongodb://${encoded}127.0.0.1:nonsense`,
      `mongodb://training:${secret}@127.0.0.1:1`,
      `${server.url.replace('//', `//${encoded}`)}/?directConnection=true`,
    ];
    for (const error of await Promise.all(addresses.map((url) => errorOf(open(url, {}))))) {
      expect(everythingOf(error)).not.toContain('battery');
    }
  });

  it('is in a file or in the address, not in both', async () => {
    const error = await errorOf(open('mongodb://training:x@127.0.0.1:1', user()));
    expect(error).toMatchObject({ code: ErrorCode.invalid, violations: [{ path: 'url' }] });
  });

  it.each([
    ['is missing', undefined],
    ['is empty', '\n'],
  ])('whose file %s keeps the store from opening', async (_case, content) => {
    const file = join(root, 'wrong-password');
    await rm(file, { force: true });
    if (content !== undefined) await writeFile(file, content);
    const error = await errorOf(open(server.url, { user: { name: 'training', passwordFile: file } }));
    expect(error.code).toBe(ErrorCode.invalid);
    expect(error.message).toContain(file);
  });
});
