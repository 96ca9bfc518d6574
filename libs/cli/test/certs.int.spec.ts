import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serviceNames } from '@millrace/service-kit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runCommand } from '../src/run-command.ts';

let out: string;
beforeEach(async () => {
  out = join(await mkdtemp(join(tmpdir(), 'millrace-certs-')), 'certs');
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(join(out, '..'), { recursive: true, force: true });
});

const certs = async (...args: string[]): Promise<{ code: number; json: unknown }> => {
  let written = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const code = await runCommand(['--json', 'certs', ...args, '--out', out]);
  vi.restoreAllMocks();
  return { code, json: written === '' ? undefined : JSON.parse(written) };
};

type Rows = readonly { readonly name: string; readonly outcome?: string; readonly state?: string }[];
const holders = [...serviceNames, 'nats', 'mongodb', 'operator', 'prometheus'];

describe('millrace certs', () => {
  it('makes certificates of all services, shows and renews them', async () => {
    const made = await certs('create', '--hosts', 'millrace.example.org,10.0.0.7', '--days', '30');
    expect(made.code).toBe(0);
    expect((made.json as Rows).map(({ name, outcome }) => `${name} ${outcome}`)).toEqual(
      holders.map((name) => `${name} created`),
    );
    const shown = (await certs('show')).json as Rows;
    expect(shown.map(({ name, state }) => `${name} ${state}`)).toEqual(
      ['ca', ...holders.toSorted()].map((name) => `${name} good`),
    );
    expect((await certs('renew', 'registry', '--all')).json).toEqual([
      { name: 'registry', outcome: 'renewed' },
    ]);
  });

  it('changes the authority in three steps, none of which can be left out', async () => {
    await certs('create', '--services', 'registry');
    expect((await certs('renew', '--new-ca')).code).toBe(0);
    expect((await certs('renew', '--retire-ca')).code).toBe(5);
    expect((await certs('renew')).code).toBe(0);
    expect((await certs('renew', '--retire-ca')).code).toBe(0);
  });

  it('revokes', async () => {
    await certs('create', '--services', 'registry');
    expect((await certs('revoke', 'registry')).code).toBe(0);
    const rows = (await certs('show')).json as Rows;
    expect(rows.find(({ name }) => name === 'registry')?.state).toBe('revoked');
  });

  it.each([
    [['create', '--services', '../x'], 2],
    [['create', '--days', '0'], 2],
    [['show'], 3],
    [['renew'], 3],
    [['renew', '--new-ca', '--retire-ca'], 2],
    [['renew', 'registry', '--new-ca'], 2],
  ])('%j ends with %i and makes nothing', async (args, code) => {
    expect((await certs(...args)).code).toBe(code);
    await expect(stat(out)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
