import { resolve } from 'node:path';
import { Invalid, NotFound } from '@millrace/errors';
import type { EnvironmentInfo, Pruned } from '@millrace/python-runtime';
import type { Command } from 'commander';
import pc from 'picocolors';
import { action } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { duration, time } from '../format.ts';
import { wholeNumber } from '../options.ts';

/** Loaded when wanted: few commands look at environments. */
const library = () => import('@millrace/python-runtime');

const opened = async () => (await library()).PythonEnvironments.open();

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

const table = ({ output }: CommandContext, environments: readonly EnvironmentInfo[], empty: string): void =>
  output.table(
    ['ENVIRONMENT', 'PYTHON', 'PACKAGES', 'SIZE', 'LAST USED', 'IN USE'],
    environments.map(({ key, pythonVersion, packages, bytes, lastUsedAt, inUse }) => [
      key.slice(0, 12),
      pythonVersion,
      String(Object.keys(packages).length),
      megabytes(bytes),
      time(lastUsedAt),
      inUse ? 'yes' : '',
    ]),
    empty,
  );

const list = async (context: CommandContext): Promise<void> => {
  const environments = await (await opened()).list();
  context.output.result(environments, () => table(context, environments, 'no environments'));
};

const show = async ({ output }: CommandContext, key: string): Promise<void> => {
  const found = (await (await opened()).list()).filter((info) => info.key.startsWith(key));
  const [environment] = found;
  if (environment === undefined) {
    throw new NotFound(`there is no environment ${key}`, {
      hint: '`millrace env list` shows those that are.',
    });
  }
  if (found.length > 1) {
    throw new Invalid(`several environments begin with ${key}`, { hint: 'Give more of its name.' });
  }
  output.result(environment, ({ directory, pythonVersion, bytes, createdAt, lastUsedAt, lock }) => {
    output.write(`${environment.key}: Python ${pythonVersion}, ${megabytes(bytes)}`);
    output.write(`  ${directory}/bin/python`);
    output.write(`  made ${time(createdAt)}, last used ${time(lastUsedAt)}`);
    output.write(lock.trimEnd());
  });
};

interface BuildOptions {
  readonly refresh?: boolean;
  readonly need?: readonly string[];
}

const build = async ({ output }: CommandContext, project: string, options: BuildOptions): Promise<void> => {
  const { environmentSpecOf, projectFilesIn } = await library();
  const projectRoot = resolve(project);
  const spec = environmentSpecOf(projectFilesIn(projectRoot), options.need ?? []);
  const begun = performance.now();
  const environment = await (await opened()).ensure(
    { ...spec, projectRoot },
    {
      refresh: options.refresh === true,
      onProgress: (line) => output.note(pc.dim(line)),
    },
  );
  for (const warning of environment.warnings) output.note(pc.yellow(`warning: ${warning}`));
  output.result(environment, ({ key, python, pythonVersion, packages }) => {
    const count = Object.keys(packages).length;
    output.write(
      `${key}: Python ${pythonVersion}, ${count} packages, in ${duration(performance.now() - begun)}`,
    );
    output.write(`  ${python}`);
  });
};

interface PruneOptions {
  readonly days?: number;
  readonly all?: boolean;
  readonly dryRun?: boolean;
}

const prune = async (context: CommandContext, { days, all, dryRun }: PruneOptions): Promise<void> => {
  if (days !== undefined && all) throw new Invalid('--days and --all are two ways to choose: give one');
  const pruned = await (await opened()).prune({
    ...(days === undefined ? {} : { unusedDays: days }),
    all: all === true,
    dryRun: dryRun === true,
  });
  context.output.result(pruned, ({ removed, freedBytes }: Pruned) => {
    table(context, removed, 'nothing to remove');
    context.output.write(`${megabytes(freedBytes)} ${dryRun ? 'would be' : ''} freed`.replace('  ', ' '));
  });
};

export const environmentCommands = (program: Command): void => {
  const env = program.command('env').description('Python environments that are kept on this machine');
  env.command('list').description('all, the last used first').action(action(list));
  env
    .command('show')
    .argument('<environment>', 'its name or the begin of it')
    .description('interpreter and pinned packages of one')
    .action(action(show));
  env
    .command('build')
    .argument('[project]', 'directory of the project', '.')
    .description("make the environment of a project's requirements, unless it is there")
    .option('--refresh', 'resolve anew: newer packages, another Python')
    .option('--need <requirements...>', 'packages to add to the project’s own')
    .action(action(build));
  env
    .command('prune')
    .description('remove environments that nobody uses')
    .option('--days <days>', 'those not used for so long (default 30)', wholeNumber)
    .option('--all', 'all that no process runs in, and what was resolved')
    .option('--dry-run', 'only say what would go')
    .action(action(prune));
};
