import { mkdir, mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { removeLeftovers } from '../src/adapters/leftovers.ts';

it('removes directories of evaluations that died days ago, and no others', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-leftovers-'));
  try {
    const now = Date.UTC(2026, 0, 10);
    for (const [name, day] of [
      ['evaluate-old', 8],
      ['evaluate-fresh', 10],
    ] as const) {
      await mkdir(join(directory, name));
      await utimes(join(directory, name), new Date(0), new Date(Date.UTC(2026, 0, day)));
    }
    await removeLeftovers(directory, now);
    expect(await readdir(directory)).toEqual(['evaluate-fresh']);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
