import { asMillraceError, ErrorCode, exitCodeOf, Invalid } from '@millrace/errors';
import { type Command, CommanderError } from 'commander';
import { Output } from './output.ts';
import { createProgram } from './program.ts';

/** Runs one command line. Prints what went wrong and returns the exit code. */
export const runCommand = async (args: readonly string[]): Promise<number> => {
  const program = await createProgram(args);
  // Known before the rest is read, which may be what is wrong.
  const output = new Output(args.includes('--json'));
  for (const command of withDescendants(program)) {
    command.exitOverride();
    if (output.json) command.configureOutput({ writeErr: () => {} });
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return ofCommander(thrown, output);
    const error = asMillraceError(thrown);
    output.error(error);
    if (error.code === ErrorCode.internal && process.env.MILLRACE_DEBUG) console.error(error.cause ?? error);
    return exitCodeOf(error.code);
  }
};

const withDescendants = (command: Command): Command[] => [
  command,
  ...command.commands.flatMap((child) => withDescendants(child as Command)),
];

/** Commander has told a person what is wrong; help and version are no errors. */
const ofCommander = (thrown: CommanderError, output: Output): number => {
  if (thrown.exitCode === 0) return 0;
  if (output.json) output.error(new Invalid(thrown.message.replace(/^error: /, '')));
  return exitCodeOf(ErrorCode.invalid);
};
