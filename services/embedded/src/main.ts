import { enableCompileCache, flushCompileCache } from 'node:module';
import { compileCacheDirectory } from '@millrace/jobs/compile-cache';

// The sources of all services are compiled once per version, not at each start. The cache is the user's own.
enableCompileCache(compileCacheDirectory());
// Only what is loaded from here on comes from there.
const { startEmbedded } = await import('./embedded.ts');
const { modules } = await import('./modules.ts');
const { runInstallation } = await import('./run-installation.ts');

await runInstallation('embedded', (onProgress) => startEmbedded(modules, process.env, onProgress));
// Now, since it may end by being killed.
flushCompileCache();
