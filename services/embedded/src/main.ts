import { enableCompileCache, flushCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

// The sources of all services are compiled once per version, not at each start. The cache is the user's own.
enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'millrace', 'node'));
// Only what is loaded from here on comes from there.
const { startEmbedded } = await import('./embedded.ts');
const { modules } = await import('./modules.ts');
const { runInstallation } = await import('./run-installation.ts');

await runInstallation('embedded', (onProgress) => startEmbedded(modules, process.env, onProgress));
// Now, since it may end by being killed.
flushCompileCache();
