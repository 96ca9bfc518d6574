import { access, cp, readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Conflict, Invalid } from '@millrace/errors';
import type { Command } from 'commander';
import { action } from '../command.ts';
import type { CommandContext } from '../context.ts';

const templates = fileURLToPath(new URL('../../templates', import.meta.url));
const examples = fileURLToPath(new URL('../../../../examples', import.meta.url));

/** Examples that are templates, too: projects as MLflow Recipes had them. */
const pythonTemplates: Readonly<Record<string, string>> = {
  'python-regression': 'sklearn-regression',
  'python-classification': 'sklearn-classification',
};

/** Directories of the templates, by name. Those in Python come with the repository, not with the command alone. */
const findTemplates = async (): Promise<ReadonlyMap<string, string>> => {
  const found = new Map((await readdir(templates)).map((name) => [name, join(templates, name)]));
  for (const [name, example] of Object.entries(pythonTemplates)) {
    const directory = join(examples, example);
    const isThere = await access(directory).then(
      () => true,
      () => false,
    );
    if (isThere) found.set(name, directory);
  }
  return found;
};

const init = async (
  context: CommandContext,
  directory: string,
  options: { template: string },
): Promise<void> => {
  const known = await findTemplates();
  const source = known.get(options.template);
  if (source === undefined) {
    throw Invalid.field('--template', `"${options.template}" is not one of ${[...known.keys()].join(', ')}`);
  }
  const target = resolve(directory);
  const existing = await readdir(target).catch(() => []);
  if (existing.length > 0) {
    throw new Conflict(`${target} is not empty`, { hint: 'Name a new directory; nothing was written.' });
  }
  // What somebody ran in an example stays there.
  const filter = (path: string) => !/[\\/](?:\.millrace|metadata|__pycache__)$/.test(path);
  await cp(source, target, { recursive: true, errorOnExist: true, force: false, filter });
  context.output.result({ project: target, template: options.template }, () => {
    context.output.write(
      `${basename(target)} is ready: a ${options.template} recipe with data that runs as it stands.`,
    );
    const profile = Object.hasOwn(pythonTemplates, options.template) ? ' --profile local' : '';
    context.output.write(`Next: cd ${directory} && millrace run${profile}`);
  });
};

export const initCommand = (program: Command): void => {
  program
    .command('init <directory>')
    .description('make a recipe project from a template')
    .option(
      '-t, --template <name>',
      'regression, classification, python-regression or python-classification',
      'regression',
    )
    .action(action(init));
};
