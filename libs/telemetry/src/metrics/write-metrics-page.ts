import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { metricsPage } from './metrics-page.ts';

await writeFile(
  fileURLToPath(new URL('../../../../docs/telemetry/metrics.md', import.meta.url)),
  metricsPage(),
);
