import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runCommand } from '../src/run-command.ts';

let project: string;
beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'millrace-env-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(project, { recursive: true, force: true });
});

const env = async (...args: string[]): Promise<{ code: number; json: unknown; error: string }> => {
  let written = '';
  let error = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    error += text;
    return true;
  });
  const code = await runCommand(['--json', 'env', ...args]);
  vi.restoreAllMocks();
  return { code, json: written === '' ? undefined : JSON.parse(written), error };
};

describe('millrace env', () => {
  it(
    'builds the environment of a project, then lists and shows it',
    async () => {
      // The requirements of the runtime's own tests: one environment serves both.
      await writeFile(join(project, 'requirements.txt'), 'opentelemetry-sdk\npytest\n');
      const built = await env('build', project);
      expect(built).toMatchObject({
        code: 0,
        json: { packages: { pytest: expect.any(String) }, warnings: [] },
      });
      const { key } = built.json as { key: string };
      const listed = (await env('list')).json as { key: string; bytes: number }[];
      expect(listed.find((row) => row.key === key)?.bytes).toBeGreaterThan(1_000_000);
      expect((await env('show', key.slice(0, 20))).json).toMatchObject({ key });
      const planned = await env('prune', '--days', '0', '--dry-run');
      expect(planned).toMatchObject({ code: 0, json: { removed: expect.any(Array) } });
    },
    10 * 60_000,
  );

  it('says which line of the requirements is wrong', async () => {
    await writeFile(join(project, 'requirements.txt'), '\n-e .\n');
    const { code, error } = await env('build', project);
    expect(code).toBe(2);
    expect(JSON.parse(error).error.message).toContain('requirements.txt:2: ');
  });

  it.each([
    [['show', 'no-such-environment'], 3],
    [['prune', '--all', '--days', '3'], 2],
  ])('%j ends with %i', async (args, code) => {
    expect((await env(...args)).code).toBe(code);
  });
});
