import { asMillraceError, ErrorCode, exitCodeOf } from '@millrace/errors';
import { CommanderError } from 'commander';
import { Output } from './output.ts';
import { createProgram } from './program.ts';

// Whoever reads us may have seen enough (`| head`); that is no error.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') process.exit();
});

const program = createProgram();
for (const command of [program, ...program.commands.flatMap((item) => [item, ...item.commands])]) {
  command.exitOverride();
}
try {
  await program.parseAsync();
} catch (thrown) {
  if (thrown instanceof CommanderError) {
    // Commander has printed it; help and version are no errors.
    process.exitCode = thrown.exitCode === 0 ? 0 : exitCodeOf(ErrorCode.invalid);
  } else {
    const error = asMillraceError(thrown);
    new Output(program.opts<{ json?: boolean }>().json === true).error(error);
    if (error.code === ErrorCode.internal && process.env.MILLRACE_DEBUG) console.error(error.cause ?? error);
    process.exitCode = exitCodeOf(error.code);
  }
}
