import { enableCompileCache } from 'node:module';
import { compileCacheDirectory } from '@millrace/jobs/compile-cache';

// The sources are compiled once per version, not once per command. The cache is the user's own.
enableCompileCache(compileCacheDirectory());
// Only what is loaded from here on comes from there.
const { runCommand } = await import('./run-command.ts');

// Whoever reads us may have seen enough (`| head`); that is no error.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') process.exit();
});

process.exitCode = await runCommand(process.argv.slice(2));
