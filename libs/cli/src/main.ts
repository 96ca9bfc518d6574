import { runCommand } from './run-command.ts';

// Whoever reads us may have seen enough (`| head`); that is no error.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') process.exit();
});

process.exitCode = await runCommand(process.argv.slice(2));
