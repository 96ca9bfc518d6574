import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type DuckDb, openDuckDb, type SourceFile } from '../src/index.ts';

/** A session and its directory for the specs of one file. */
export interface Session {
  readonly dir: string;
  readonly duck: DuckDb;
  /** Writes a file into the directory. */
  file(name: string, content: string | Uint8Array): Promise<SourceFile>;
}

/** Opens a session before the specs of the file and removes it after. */
export const useSession = (): (() => Session) => {
  let session: Session | undefined;
  beforeAll(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'tabular-'));
    session = {
      dir,
      duck: await openDuckDb({ tempDir: dir }),
      async file(name, content) {
        await writeFile(join(dir, name), content);
        return { path: join(dir, name), label: `data/${name}` };
      },
    };
  });
  afterAll(async () => {
    await session?.duck.close();
    if (session !== undefined) await rm(session.dir, { recursive: true, force: true });
  });
  return () => {
    if (session === undefined) throw new Error('the session is open only while specs run');
    return session;
  };
};
