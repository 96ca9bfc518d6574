import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { commandGroups, createProgram } from './program.ts';

const commandsOf = (program: Command): string[] => program.commands.map((command) => command.name());

describe('the program', () => {
  it.each(commandGroups.map(({ names, load }) => [names.join(', '), names, load] as const))(
    'finds %s where they are',
    async (_, names, load) => {
      const program = new Command();
      (await load())(program);
      expect(commandsOf(program)).toEqual(names);
    },
  );

  it.each([
    [['gc', 'plan']],
    [['--data-dir', 'runs', '--json', 'gc', 'plan', 'up']],
    [['--url=http://127.0.0.1', 'gc']],
  ])('has the commands that %j may mean', async (args) => {
    expect(commandsOf(await createProgram(args))).toEqual(['gc']);
  });

  it.each([[[]], [['--help']], [['help', 'gc']], [['gx']]])('has all commands for %j', async (args) => {
    expect(commandsOf(await createProgram(args))).toEqual(commandGroups.flatMap(({ names }) => names));
  });
});
