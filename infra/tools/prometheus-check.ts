import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { cachedTool, run } from './cached-tool.ts';

const sources = join(import.meta.dirname, '..', 'prometheus', 'check');
const sourceFiles = ['go.mod', 'go.sum', 'main.go', 'unit_tests.go'] as const;

/** Changes with the versions in `go.mod` and with the program. */
const versionOfSources = async (): Promise<string> => {
  const hash = createHash('sha256');
  for (const file of sourceFiles) hash.update(await readFile(join(sources, file)));
  return hash.digest('hex').slice(0, 16);
};

/** Builds `infra/prometheus/check` of Prometheus' Go modules, once per version; answers the path of the program. */
export const installPrometheusCheck = async (): Promise<string> => {
  const directory = await cachedTool('prometheus-check', await versionOfSources(), async (draft) => {
    await run('go', ['build', '-mod=readonly', '-ldflags=-s -w', '-o', join(draft, 'check'), '.'], {
      cwd: sources,
      env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOWORK: 'off' },
    });
  });
  return join(directory, 'check');
};

/** Runs a program on an input; answers what it printed. Throws what it complained of. */
export const runOn = async (program: string, args: readonly string[], input: string): Promise<string> => {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(input);
  const [output, complaint] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (complaint !== '') throw new Error(complaint);
  return output;
};
