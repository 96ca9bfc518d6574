/**
 * `npm run compose`: makes what is secret, then runs `docker compose up`. With `--full` everything runs, without it the
 * services and the broker. Further arguments replace `up --build --wait`: `npm run compose -- --full down`.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { prepare } from './prepare.ts';

const root = join(import.meta.dirname, '..', '..');
const args = process.argv.slice(2);
const full = args.includes('--full');
const rest = args.filter((arg) => arg !== '--full');

const directory = join(root, '.millrace', 'compose');
await prepare(directory);
const { status, error } = spawnSync(
  'docker',
  [
    'compose',
    ...(full ? ['--env-file', join('infra', 'compose', 'full.env')] : []),
    ...(rest.length > 0 ? rest : ['up', '--build', '--wait']),
  ],
  { cwd: root, stdio: 'inherit' },
);
if (error !== undefined) process.stderr.write(`docker compose cannot be run: ${error.message}\n`);
else if (status === 0 && rest.length === 0) {
  process.stdout.write(
    `The gateway is at http://127.0.0.1:7700; its token: export MILLRACE_TOKEN=$(cat ${join(directory, 'gateway-token')})\n`,
  );
}
process.exitCode = status ?? 1;
