import type { Command } from 'commander';
import { CommandContext, type GlobalOptions } from './context.ts';

/** Wraps a command's work: gives it its context and closes that afterwards, whatever happens. */
export const action =
  <Args extends unknown[]>(work: (context: CommandContext, ...args: Args) => Promise<void>) =>
  async (...all: unknown[]): Promise<void> => {
    // Commander passes the arguments, then the options, then the command itself.
    const command = all.at(-1) as Command;
    const context = new CommandContext(command.optsWithGlobals<GlobalOptions>(), process.env);
    try {
      await work(context, ...(all.slice(0, -1) as Args));
    } finally {
      await context.close();
    }
  };

/** Adds its commands to the program. */
export type CommandGroup = (program: Command) => void;
