import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

// The sources are compiled once per version, not once per command. The cache is the user's own, as the broker's is.
enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'millrace', 'node'));
// Only what is loaded from here on comes from there.
const { runCommand } = await import('./run-command.ts');

// Whoever reads us may have seen enough (`| head`); that is no error.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') process.exit();
});

process.exitCode = await runCommand(process.argv.slice(2));
