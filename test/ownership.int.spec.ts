import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { serviceNames } from '@millrace/service-kit';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

describe('CODEOWNERS', () => {
  const owners = new Map(
    readFileSync(join(root, '.github/CODEOWNERS'), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('/'))
      .map((line) => {
        const [path = '', ...teams] = line.split(/\s+/);
        return [path, teams] as const;
      }),
  );

  it.each(serviceNames)('gives %s, its messages and what others rely on to its own team', (service) => {
    const team = `@millrace/${service}`;
    expect(owners.get(`/services/${service}/`)).toEqual([team]);
    expect(owners.get(`/test/contracts/*.${service}.yaml`)).toEqual([team]);
    if (service !== 'gateway') expect(owners.get(`/proto/millrace/${service}/`)?.[0]).toBe(team);
  });
});

/** Projects whose tests a change of the files asks for. */
const affectedBy = async (...files: string[]): Promise<readonly string[]> => {
  const args = ['show', 'projects', '--affected', `--files=${files.join(',')}`, '--json'];
  const env = { ...process.env, NX_DAEMON: 'false', NX_NO_CLOUD: 'true' };
  const { stdout } = await promisify(execFile)('nx', args, { cwd: root, env });
  return JSON.parse(stdout) as string[];
};

describe('nx affected', () => {
  it('names a service, and what puts services together, for a change of that service', async () => {
    expect((await affectedBy('services/registry/src/service.ts')).toSorted()).toEqual([
      'embedded',
      'registry',
    ]);
  });

  it('names those that use a library for a change of that library, and nobody else', async () => {
    const affected = await affectedBy('libs/drift/src/index.ts');
    expect(affected).toEqual(expect.arrayContaining(['drift', 'monitoring', 'embedded']));
    expect(affected).not.toContain('ingest');
  });
});
