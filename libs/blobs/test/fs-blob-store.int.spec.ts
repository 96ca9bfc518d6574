import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ErrorCode } from '@millrace/errors';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { describeBlobStore, patternBytes } from '../src/conformance.ts';
import { type BlobStore, type Digest, digestOf, openFsBlobStore } from '../src/index.ts';

describeBlobStore('fs', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-blobs-'));
  return {
    store: await openFsBlobStore({ directory }),
    dispose: () => rm(directory, { recursive: true, force: true }),
  };
});

const damaged = { code: ErrorCode.internal, message: expect.stringContaining('is damaged') };

describe('fs blob store', () => {
  let directory: string;
  let store: BlobStore;

  const pathOf = (digest: Digest): string => join(directory, 'sha256', digest.slice(7, 9), digest.slice(9));
  const temporaryFiles = (): Promise<string[]> => readdir(join(directory, 'tmp'));
  const expectUnreadable = async (digest: Digest): Promise<void> => {
    let received = 0;
    const drain = async (): Promise<void> => {
      for await (const chunk of await store.get(digest)) received += chunk.length;
    };
    await expect(drain()).rejects.toMatchObject(damaged);
    const { size } = await stat(pathOf(digest));
    if (size > 0) expect(received).toBeLessThan(size);
    await expect(store.read(digest, 10_000_000)).rejects.toMatchObject(damaged);
    const target = join(directory, 'materialized');
    for (const as of ['copy', 'link'] as const) {
      await expect(store.materialize(digest, target, { as })).rejects.toMatchObject(damaged);
      await expect(stat(target)).rejects.toMatchObject({ code: 'ENOENT' });
    }
    expect((await readdir(directory)).sort()).toEqual(['retired', 'sha256', 'tmp']);
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-blobs-'));
    store = await openFsBlobStore({ directory });
  });
  afterEach(async () => {
    await store.close();
    await rm(directory, { recursive: true, force: true });
  });

  test('keeps a blob as one read-only file named by its digest', async () => {
    const { digest } = await store.put(patternBytes(10));
    expect((await stat(pathOf(digest))).mode & 0o777).toBe(0o444);
    expect(await temporaryFiles()).toEqual([]);
  });

  const damages = {
    'one flipped bit': async (path: string) => {
      const bytes = await readFile(path);
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      await writeFile(path, bytes);
    },
    'a lost tail': async (path: string) => {
      const handle = await open(path, 'r+');
      await handle.truncate(300_000);
      await handle.close();
    },
    'nothing left': (path: string) => writeFile(path, ''),
    'appended bytes': (path: string) => writeFile(path, 'x', { flag: 'a' }),
    'the bytes of another blob': (path: string) => writeFile(path, patternBytes(900_000, 2)),
  };
  for (const [damage, apply] of Object.entries(damages)) {
    test(`refuses a blob with ${damage}, and putting it again repairs it`, async () => {
      const content = patternBytes(900_000);
      const { digest } = await store.put(content);
      await chmod(pathOf(digest), 0o644);
      await apply(pathOf(digest));
      await expectUnreadable(digest);
      await store.put(content);
      expect(Buffer.compare(await store.read(digest, 900_000), content)).toBe(0);
    });
  }

  test('keeps what it hashed of a source that uses its memory again', async () => {
    async function* fromOneBuffer(): AsyncGenerator<Uint8Array> {
      const piece = new Uint8Array(100_000);
      for (let value = 0; value < 25; value += 1) yield piece.fill(value);
    }
    const { digest, size } = await store.put(fromOneBuffer());
    expect(digestOf(await store.read(digest, size))).toBe(digest);
  });

  test('does not follow a link that was put in the place of a blob', async () => {
    const content = patternBytes(10);
    const outside = join(directory, 'outside');
    await writeFile(outside, content);
    const digest = digestOf(content);
    execFileSync('ln', ['-s', outside, pathOf(digest)]);
    await expect(store.get(digest)).rejects.toMatchObject({ code: ErrorCode.internal });
  });

  test('sweeps leftovers of crashes when it is opened, but not uploads that still move', async () => {
    const old = join(directory, 'tmp', 'old');
    await writeFile(old, 'left by a crash');
    await utimes(old, 0, 0);
    await writeFile(join(directory, 'tmp', 'young'), 'being written by another process');
    await openFsBlobStore({ directory });
    expect(await temporaryFiles()).toEqual(['young']);
  });

  describe('when a process is killed while it puts', () => {
    let child: ChildProcess | undefined;
    afterEach(() => child?.kill('SIGKILL'));

    test('leaves no blob, only a temporary file that the next start sweeps', async () => {
      const script = fileURLToPath(new URL('put-without-end.ts', import.meta.url));
      child = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
      if (child.stdout === null) throw new Error('the child has no output');
      await once(child.stdout, 'data');
      child.kill('SIGKILL');
      await once(child, 'exit');

      expect(await temporaryFiles()).toHaveLength(1);
      store = await openFsBlobStore({ directory, sweepAfterMs: 0 });
      expect(await temporaryFiles()).toEqual([]);
      expect(await store.stats()).toEqual({ blobs: 1, bytes: 3 });
    });
  });

  describe('on a full disk', () => {
    let mount: string;
    let unavailable: string | undefined;

    beforeEach(async () => {
      mount = join(directory, 'small');
      await mkdir(mount);
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', mount], { stdio: 'pipe' });
      } catch (error) {
        unavailable = `cannot mount a small file system here (needs root): ${(error as Error).message}`;
      }
    });
    afterEach(() => {
      if (unavailable === undefined) execFileSync('umount', [mount]);
    });

    test('says so, removes the temporary file, and works again with what fits', async ({ skip }) => {
      skip(unavailable !== undefined, unavailable);
      const small = await openFsBlobStore({ directory: mount });
      await expect(small.put(patternBytes(4_000_000))).rejects.toMatchObject({ code: ErrorCode.exhausted });
      expect(await readdir(join(mount, 'tmp'))).toEqual([]);
      const content = patternBytes(200_000);
      const { digest } = await small.put(content);
      expect(Buffer.compare(await small.read(digest, 200_000), content)).toBe(0);
      const tooLarge = await store.put(patternBytes(4_000_000));
      await expect(store.materialize(tooLarge.digest, join(mount, 'file'))).rejects.toMatchObject({
        code: ErrorCode.exhausted,
      });
      expect((await readdir(mount)).sort()).toEqual(['retired', 'sha256', 'tmp']);
    });
  });
});
