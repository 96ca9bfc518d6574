import { startEmbedded } from './embedded.ts';
import { modules } from './modules.ts';
import { runInstallation } from './run-installation.ts';

await runInstallation('embedded', (onProgress) => startEmbedded(modules, process.env, onProgress));
