import { runInstallation } from './run-installation.ts';
import { startSeparate } from './separate.ts';

await runInstallation('supervisor', (onProgress) => startSeparate(process.env, onProgress));
