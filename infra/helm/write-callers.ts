/** Writes the chart's `files/callers.json` anew; a test says when it is due. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rpcCallers } from '@millrace/service-kit';
import { callersByService } from './callers.ts';

const file = join(import.meta.dirname, 'millrace', 'files', 'callers.json');
writeFileSync(file, `${JSON.stringify(callersByService(rpcCallers), null, 2)}\n`);
