/**
 * `npm run new-service -- <name> <entity> [entities]`: a new service that compiles, is tested and traced, is started by
 * `millrace up`, and has its messages, its place in the compose file and its team. What it does is then written into it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = process.cwd();
const templates = join(import.meta.dirname, 'new-service/templates');
const grammar = /^[a-z][a-z]{1,30}$/;

const [service = '', entity = '', entities = `${entity}s`] = process.argv.slice(2);

const refuse = (reason: string): never => {
  process.stderr.write(
    `${reason}\nusage: npm run new-service -- <name> <entity> [entities], each of lower-case letters\n`,
  );
  process.exit(2);
};
for (const word of [service, entity, entities]) {
  if (!grammar.test(word)) refuse(`"${word}" is not a name`);
}
if (existsSync(join(root, 'services', service))) refuse(`there is a service ${service} already`);
if (existsSync(join(root, 'libs', service))) refuse(`there is a library ${service} already`);

const capitalised = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

const filled = (text: string): string =>
  text
    .replaceAll('__service__', service)
    .replaceAll('__Service__', capitalised(service))
    .replaceAll('__entity__', entity)
    .replaceAll('__Entity__', capitalised(entity))
    .replaceAll('__entities__', entities)
    .replaceAll('__Entities__', capitalised(entities));

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  process.stdout.write(`  ${path}\n`);
};

const writeTemplates = (folder: string, target: string): void => {
  const files = readdirSync(join(templates, folder), { recursive: true, withFileTypes: true });
  for (const file of files.filter((entry) => entry.isFile())) {
    const path = join(file.parentPath, file.name);
    const relative = filled(path.slice(join(templates, folder).length + 1)).replace(/\.template$/, '');
    write(join(target, relative), filled(readFileSync(path, 'utf8')));
  }
};

/** Changes a file at one place. A place that is not there any more is an error of this script, and named. */
const edit = (path: string, place: RegExp, change: (found: string) => string): void => {
  const text = read(path);
  if (!place.test(text)) throw new Error(`${path} has no ${place}; adapt scripts/new-service.ts to it`);
  write(
    path,
    text.replace(place, (found) => change(found)),
  );
};

/** Repeats, after themselves, the lines of a service that is like the new one; `without` is left out of the repetition. */
const repeat = (path: string, lines: RegExp, without = /$^/g): void => {
  edit(path, lines, (found) => {
    const lines = found.replaceAll(without, '').replaceAll('evaluation', service);
    return `${found}${lines.replaceAll('EVALUATION', service.toUpperCase())}`;
  });
};

/** The first pair of ports that no service has, counted on from the highest. */
const nextPorts = (settings: string): { readonly grpc: number; readonly http: number } => {
  const taken = [...settings.matchAll(/\{ grpc: (77\d\d), http: (77\d\d) \}/g)].map(([, grpc]) =>
    Number(grpc),
  );
  const grpc = Math.max(...taken.filter((port) => port < 7710)) + 1;
  if (grpc < 7710) return { grpc, http: grpc + 10 };
  const next =
    Math.max(
      ...[...settings.matchAll(/77\d\d/g)].map(([port]) => Number(port)).filter((port) => port < 7799),
    ) + 1;
  return { grpc: next, http: next + 1 };
};

const register = (): void => {
  const settings = 'libs/service-kit/src/settings.ts';
  const { grpc, http } = nextPorts(read(settings));
  edit(settings, / {2}'gateway',\n\] as const/, (found) => `  '${service}',\n${found}`);
  edit(
    settings,
    / {2}bridge: \{ grpc: .*\n/,
    (found) => `${found}  ${service}: { grpc: ${grpc}, http: ${http} },\n`,
  );
  edit(
    'docs/configuration.md',
    /\| bridge \| \d+ \| \d+ \|\n/,
    (found) => `${found}| ${service} | ${grpc} | ${http} |\n`,
  );

  const callers = 'libs/service-kit/src/rpc-callers.ts';
  const definition = `${capitalised(service)}ServiceService`;
  edit(
    callers,
    /import type \{ TrackingServiceService \}.*\n/,
    (found) => `${found}import type { ${definition} } from '@millrace/contracts/${service}';\n`,
  );
  edit(
    callers,
    /\/\*\* By the full name of the gRPC service\. \*\//,
    (found) =>
      `const ${service}: Callers<typeof ${definition}> = {\n  create${capitalised(entity)}: users,\n  get${capitalised(entity)}: users,\n  list${capitalised(entities)}: users,\n};\n\n${found}`,
  );
  edit(
    callers,
    / {2}'millrace\.training\.v1\.TrackingService': training,\n/,
    (found) => `${found}  'millrace.${service}.v1.${capitalised(service)}Service': ${service},\n`,
  );

  edit(
    'libs/bus/src/access/service-needs.ts',
    / {2}gateway: \{\n/,
    (found) => `  ${service}: nothing,\n${found}`,
  );

  const modules = 'services/embedded/src/modules.ts';
  edit(
    modules,
    /import \{ bridge \}.*\n/,
    (found) => `${found}import { ${service} } from '@millrace/${service}';\n`,
  );
  edit(modules, / {2}gateway,\n\]/, (found) => `  ${service},\n${found}`);
  edit(
    'services/embedded/package.json',
    / {4}"@millrace\/bridge": "\*",\n/,
    (found) => `${found}    "@millrace/${service}": "*",\n`,
  );

  edit(
    'ARCHITECTURE.md',
    /\| bridge \|.*\n/,
    (found) => `${found}| ${service} | ${entities} | — | [→](services/${service}/README.md) |\n`,
  );
  repeat('.github/CODEOWNERS', /(\/.*evaluation.*\n)+\n/);
};

const deploy = (): void => {
  repeat('docker-compose.yml', / {2}MILLRACE_EVALUATION_GRPC:.*\n {2}MILLRACE_EVALUATION_HTTP:.*\n/);
  // A new service runs no Python.
  repeat(
    'docker-compose.yml',
    / {2}evaluation:\n( {4}.*\n)+\n/,
    /, RUNTIME: python|, \*python| {6}- python:.*\n/g,
  );
  repeat('docker-compose.yml', / {2}evaluation-nats-key:.*\n/);
  repeat('docker-compose.yml', / {2}evaluation-mongodb-password:.*\n/);
  repeat('docker-compose.yml', / {2}evaluation:\n(?= {2}\w+:\n)/);
  repeat('infra/compose/prometheus.yml', / +- evaluation:.*\n/);
  repeat('infra/helm/millrace/values.yaml', / {2}evaluation:\n( {4}.*\n)+/, / {4}env: .*\n/g);
  repeat('infra/helm/millrace/values.schema.json', / {8}"evaluation": \{\n(?:.*\n)*? {8}\},\n/);
  repeat('infra/helm/millrace/values.schema.json', / {8}"evaluation",\n/);
};

const run = (command: string, ...args: string[]): void => {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`);
};

process.stdout.write(`Writing the service ${service}:\n`);
writeTemplates('proto', `proto/millrace/${service}/v1`);
writeTemplates('service', `services/${service}`);
register();
deploy();
run('node', 'scripts/generate-contracts.ts');
run('node', 'infra/helm/write-callers.ts');
run(
  'biome',
  'check',
  '--write',
  '--log-level=error',
  `services/${service}`,
  'libs/service-kit/src',
  'services/embedded',
);

process.stdout.write(`
The service ${service} is there. Next:
  npm install                     links it, and records it in package-lock.json
  npx nx test ${service}
  npm run check
  proto/millrace/${service}/v1    say what it offers; npm run generate
  docs: its README, and its line in ARCHITECTURE.md
`);
