import { cp, readdir } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Conflict, Invalid } from '@millrace/errors';
import type { Command } from 'commander';
import { action } from '../command.ts';
import type { CommandContext } from '../context.ts';

const templates = fileURLToPath(new URL('../../templates', import.meta.url));

const init = async (
  context: CommandContext,
  directory: string,
  options: { template: string },
): Promise<void> => {
  const known = await readdir(templates);
  if (!known.includes(options.template)) {
    throw Invalid.field('--template', `"${options.template}" is not one of ${known.join(', ')}`);
  }
  const target = resolve(directory);
  const existing = await readdir(target).catch(() => []);
  if (existing.length > 0) {
    throw new Conflict(`${target} is not empty`, { hint: 'Name a new directory; nothing was written.' });
  }
  await cp(`${templates}/${options.template}`, target, { recursive: true, errorOnExist: true, force: false });
  context.output.result({ project: target, template: options.template }, () => {
    context.output.write(
      `${basename(target)} is ready: a ${options.template} recipe with data that runs as it stands.`,
    );
    context.output.write(`Next: cd ${directory} && millrace run`);
  });
};

export const initCommand = (program: Command): void => {
  program
    .command('init <directory>')
    .description('make a recipe project from a template')
    .option('-t, --template <name>', 'regression or classification', 'regression')
    .action(action(init));
};
