/**
 * Lays out what one service needs to run, for its image: `node assemble.ts <service> <runtime> <output>` in the root of the
 * repository, after `npm ci --omit=dev`. In `<output>/packages` go the packages from the registry, in
 * `<output>/sources` the service and the libraries that it imports: two layers, of which the first seldom changes.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { isForeignBinary } from './foreign-binaries.ts';
import { type LockedPackage, productionClosure } from './production-closure.ts';
import { unusedPackages } from './unused-packages.ts';

const [service, runtime, output] = process.argv.slice(2);
if (service === undefined || service === '' || output === undefined) {
  throw new Error(
    'usage: node assemble.ts <service> <runtime> <output>; build with --build-arg SERVICE=<service>',
  );
}

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Record<string, LockedPackage>;
};
const { workspaces, installed } = productionClosure(packages, `services/${service}`, unusedPackages[service]);
const runsPython = workspaces.some(
  (folder) =>
    folder.startsWith('services/') &&
    packages[folder]?.dependencies?.['@millrace/python-runtime'] !== undefined,
);
if (runsPython && runtime !== 'python') {
  throw new Error(`${service} runs users' Python: build with --build-arg RUNTIME=python`);
}

/** Type declarations and source maps are for editors; packages carry megabytes of them. */
const runs = (file: string): boolean => !/\.(d\.[cm]?ts|map)$/.test(file);

for (const folder of installed) {
  // A package for another platform is locked but not installed.
  if (!existsSync(folder)) continue;
  const nested = join(folder, 'node_modules');
  cpSync(folder, join(output, 'packages', folder), {
    recursive: true,
    filter: (file) => file !== nested && runs(file) && !isForeignBinary(file),
  });
}

const sources = join(output, 'sources');
for (const folder of workspaces) {
  cpSync(folder, join(sources, folder), {
    recursive: true,
    filter: (file) => basename(file) !== 'node_modules',
  });
}
for (const [folder, entry] of Object.entries(packages)) {
  if (entry.link !== true || entry.resolved === undefined || !workspaces.includes(entry.resolved)) continue;
  const link = join(sources, folder);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(relative(dirname(folder), entry.resolved), link);
}
// A command without a shell cannot put a variable into a path.
writeFileSync(
  join(sources, 'main.mjs'),
  `import { readSecretFiles } from './secret-files.mjs';

readSecretFiles(process.env);
await import('./services/${service}/src/main.ts');
`,
);
mkdirSync(join(output, 'data', service), { recursive: true });
mkdirSync(join(output, 'data', 'blobs'), { recursive: true });
if (runsPython) mkdirSync(join(output, 'data', 'python'), { recursive: true });
process.stdout.write(`${service}: ${workspaces.length} workspaces, ${installed.length} locked packages\n`);
