import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type IngestFixture, outputOf, startIngest } from './ingest-fixture.ts';

let ingest: IngestFixture;
beforeAll(async () => {
  ingest = await startIngest();
});
afterAll(() => ingest.stop());

const data = join(import.meta.dirname, '../../../examples/flights/data');

it('ingests and divides the example data by its own time', async () => {
  const names = (await readdir(data)).filter((name) => name.endsWith('.csv'));
  const files = Object.fromEntries(
    await Promise.all(names.map(async (name) => [`data/${name}`, await readFile(join(data, name))])),
  );
  const recipe = { targetColumn: 'arr_delay' };
  const contract = { columns: { flight_id: { unique: true }, carrier: { nullable: false } } };
  const config = { using: 'csv', location: 'data/*.csv', dataset: 'flights', contract };
  const read = await ingest.run('ingest', { config, files, recipe });
  const dataset = outputOf(read, 'dataset');
  const { rows: total } = dataset.attributes;
  expect(Number(total)).toBeGreaterThan(1000);
  const split = await ingest.run('split', {
    config: { time_column: 'scheduled_at' },
    inputs: [dataset],
    recipe,
  });
  const { trainRows, validationRows, testRows, droppedRows } = split.success?.summary ?? {};
  const counts = [trainRows, validationRows, testRows, droppedRows].map(Number);
  expect(counts.reduce((sum, one) => sum + one, 0)).toBe(Number(total));
});
