import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dashboardJson } from './dashboard.ts';
import { dashboards } from './dashboards.ts';

for (const dashboard of dashboards) {
  const file = join(import.meta.dirname, 'dashboards', `${dashboard.name}.json`);
  await writeFile(file, `${JSON.stringify(dashboardJson(dashboard), null, 2)}\n`);
}
