import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  cacheDirectory,
  type InstallProgress,
  installNatsServer,
  locateNatsServer,
  pinnedVersion,
} from '../src/index.ts';

/** A program that says of itself what `nats-server --version` says. */
const program = (version: string) => `#!/bin/sh\necho "nats-server: v${version}"\n`;

const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
const releaseName = `nats-server-v${pinnedVersion}-${process.platform}-${architecture}`;

let home: string;
let files: Map<string, Buffer>;
let server: Server;
let releasesUrl: string;
let requests: number;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'millrace-install-'));
  files = new Map();
  requests = 0;
  server = createServer((request, response) => {
    requests += 1;
    const body = files.get(request.url ?? '');
    response.writeHead(body === undefined ? 404 : 200).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  releasesUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.close();
  await rm(home, { recursive: true, force: true });
});

const env = (more: object = {}) => ({ PATH: '/usr/bin:/bin', XDG_CACHE_HOME: home, ...more });

const publish = async ({ version = pinnedVersion, digest = '' } = {}) => {
  const directory = join(home, 'release');
  await mkdir(join(directory, releaseName), { recursive: true });
  await writeFile(join(directory, releaseName, 'nats-server'), program(version), { mode: 0o755 });
  const archive = `${releaseName}.tar.gz`;
  execFileSync('tar', ['-czf', archive, releaseName], { cwd: directory });
  const bytes = await readFile(join(directory, archive));
  const sum = digest || createHash('sha256').update(bytes).digest('hex');
  files.set(`/v${pinnedVersion}/${archive}`, bytes);
  files.set(
    `/v${pinnedVersion}/SHA256SUMS`,
    Buffer.from(`${'0'.repeat(64)}  other.zip\n${sum}  ${archive}\n`),
  );
};

const installed = async () => (await readdir(cacheDirectory(env()))).sort();

describe('installing', () => {
  it('takes the pinned release with its checksum, and tells how far it is', async () => {
    await publish();
    const progress: InstallProgress[] = [];
    const path = await installNatsServer({
      env: env(),
      releasesUrl,
      onProgress: (each) => progress.push(each),
    });
    expect(execFileSync(path, ['--version'], { encoding: 'utf8' })).toContain(pinnedVersion);
    expect([...new Set(progress.map(({ phase }) => phase))]).toEqual(['downloading', 'verifying', 'done']);
    expect(await installed()).toEqual(['nats-server']);
  });

  it('refuses a download whose checksum differs, and installs nothing', async () => {
    await publish({ digest: 'f'.repeat(64) });
    await expect(installNatsServer({ env: env(), releasesUrl })).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringContaining('checksum'),
    });
    expect(await installed()).toEqual([]);
  });

  it('says what to do when neither release nor Go is there', async () => {
    await expect(installNatsServer({ env: env(), releasesUrl })).rejects.toMatchObject({
      code: 'unavailable',
      hint: expect.stringMatching(/NATS_URL.*last resort/s),
    });
    expect(await installed()).toEqual([]);
  });

  it('builds with Go when the release cannot be reached', async () => {
    const bin = join(home, 'bin');
    await mkdir(bin);
    // Stands for Go: writes what `go install` would build, if asked for the pinned module.
    const go = `#!/bin/sh\n[ "$2" = "github.com/nats-io/nats-server/v2@v${pinnedVersion}" ] || exit 1\nprintf '${program(pinnedVersion).replaceAll('\n', '\\n')}' > "$GOBIN/nats-server"\nchmod +x "$GOBIN/nats-server"\n`;
    await writeFile(join(bin, 'go'), go, { mode: 0o755 });
    const path = await installNatsServer({ env: env({ PATH: `${bin}:/usr/bin:/bin` }), releasesUrl });
    expect(execFileSync(path, { encoding: 'utf8' })).toContain(pinnedVersion);
  });

  it('by several at once downloads once', async () => {
    await publish();
    const paths = await Promise.all(
      Array.from({ length: 4 }, () => installNatsServer({ env: env(), releasesUrl })),
    );
    expect(new Set(paths).size).toBe(1);
    expect(requests).toBe(2);
    expect(await installed()).toEqual(['nats-server']);
  });

  it('takes over the lock of a process that is gone', async () => {
    await publish();
    await mkdir(cacheDirectory(env()), { recursive: true });
    const lock = join(cacheDirectory(env()), 'install.lock');
    await writeFile(lock, JSON.stringify({ pid: process.pid, identity: 'a process that is gone' }));
    await installNatsServer({ env: env(), releasesUrl });
    expect(await installed()).toEqual(['nats-server']);
  });
});

describe('locating', () => {
  const onPath = async (version: string) => {
    const bin = join(home, 'bin');
    await mkdir(bin, { recursive: true });
    await writeFile(join(bin, 'nats-server'), program(version));
    await chmod(join(bin, 'nats-server'), 0o755);
    return env({ PATH: `${bin}:/usr/bin:/bin` });
  };

  it('prefers a recent server on PATH', async () => {
    const located = await locateNatsServer({ env: await onPath('2.11.0'), releasesUrl });
    expect(located).toEqual({ path: join(home, 'bin', 'nats-server'), source: 'path' });
    expect(requests).toBe(0);
  });

  it('passes over an old server on PATH', async () => {
    await publish();
    const old = await onPath('2.9.10');
    expect(await locateNatsServer({ env: old, releasesUrl })).toMatchObject({ source: 'installed' });
    expect(await locateNatsServer({ env: old, releasesUrl })).toMatchObject({ source: 'cache' });
    expect(requests).toBe(2);
  });
});
