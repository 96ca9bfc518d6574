/** Fails when generated code or the catalogue of events is not what `proto/` gives. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const generated = ['libs/contracts/src/generated', 'docs/events'];

const digest = (): string => {
  const hash = createHash('sha256');
  const files = generated
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of files) hash.update(file).update(readFileSync(file));
  return hash.digest('hex');
};

const before = digest();
execFileSync(process.execPath, ['scripts/generate-contracts.ts'], { cwd: root, stdio: 'inherit' });
if (digest() !== before) {
  process.stderr.write(`${generated.join(' or ')} was out of date and is now regenerated: commit it.\n`);
  process.exitCode = 1;
}
