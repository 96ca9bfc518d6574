import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { MillraceClient } from '@millrace/client';
import { Run } from '@millrace/contracts/pipeline';
import { loadRecipe } from '@millrace/recipe';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkScoredOutput, writeScoredOutput } from '../src/project/write-scored.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-scored-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const blobs = new Map<string, string>();
const put = (text: string): string => {
  const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  blobs.set(digest, text);
  return digest;
};
const client = {
  downloadBlob: async (digest: string) => Readable.from([Buffer.from(blobs.get(digest) ?? '')]),
} as unknown as MillraceClient;

interface Output {
  readonly using: string;
  readonly location: string;
  readonly saveMode?: string;
  readonly files: Readonly<Record<string, string>>;
}

/** Writes what a run scored. */
const write = ({ files, saveMode = 'overwrite', ...attributes }: Output): Promise<string | undefined> => {
  const listed = Object.entries(files).map(([path, text]) => ({ path, digest: put(text) }));
  const outputs = [
    {
      name: 'scored_output',
      kind: 'scored_output',
      digest: put(JSON.stringify({ files: listed })),
      attributes: { ...attributes, saveMode },
    },
  ];
  return writeScoredOutput(client, root, Run.fromPartial({ steps: [{ name: 'predict', outputs }] }));
};

const csv = (location: string, rows: string, saveMode?: string): Output => ({
  using: 'csv',
  location,
  files: { 'scored.csv': `x,prediction\n${rows}\n` },
  ...(saveMode === undefined ? {} : { saveMode }),
});
const read = (path: string) => readFile(join(root, path), 'utf8');

describe('predictions of a batch', () => {
  test('are one file where the location is named as one, and replace what was there', async () => {
    expect(await write(csv('out/scored.csv', '1,2'))).toBe('out/scored.csv');
    await write(csv('out/scored.csv', '3,4'));
    expect(await read('out/scored.csv')).toBe('x,prediction\n3,4\n');
    expect(await readdir(join(root, 'out'))).toEqual(['scored.csv']);
  });

  test('are a part in a directory otherwise, and a further part when they are appended', async () => {
    await write(csv('out', '1,2'));
    await write(csv('out', '3,4', 'append'));
    expect(await readdir(join(root, 'out'))).toEqual(['part-00000.csv', 'part-00001.csv']);
    await write(csv('out', '5,6'));
    expect(await readdir(join(root, 'out'))).toEqual(['part-00000.csv']);
  });

  test('are appended to a CSV file of the same columns, and to no Parquet file', async () => {
    await writeFile(join(root, 'scored.csv'), 'x,prediction\n1,2');
    await write(csv('scored.csv', '3,4', 'append'));
    expect(await read('scored.csv')).toBe('x,prediction\n1,2\n3,4\n');
    await writeFile(join(root, 'other.csv'), 'y\n1\n');
    await expect(write(csv('other.csv', '3,4', 'append'))).rejects.toThrow('the columns of other.csv differ');
    await writeFile(join(root, 'scored.parquet'), '');
    const parquet = { using: 'parquet', location: 'scored.parquet', files: { 'scored.parquet': 'p' } };
    await expect(write({ ...parquet, saveMode: 'append' })).rejects.toMatchObject({
      code: 'failed_precondition',
      hint: expect.stringContaining('Give a directory'),
    });
  });

  test('are a Delta table with all of its files', async () => {
    const files = { '_delta_log/0.json': '{}', 'a=1/part.parquet': 'p' };
    await write({ using: 'delta', location: 'out/table', files });
    expect(await read('out/table/a=1/part.parquet')).toBe('p');
    expect(await read('out/table/_delta_log/0.json')).toBe('{}');
  });

  test.each(['default', 'error', 'errorifexists'])(
    'touch nothing that is there with %s',
    async (saveMode) => {
      await writeFile(join(root, 'scored.csv'), 'mine');
      await expect(write(csv('scored.csv', '1,2', saveMode))).rejects.toMatchObject({ code: 'conflict' });
      expect(await read('scored.csv')).toBe('mine');
    },
  );

  test('pass over what is there with ignore', async () => {
    await writeFile(join(root, 'scored.csv'), 'mine');
    expect(await write(csv('scored.csv', '1,2', 'ignore'))).toBeUndefined();
    expect(await read('scored.csv')).toBe('mine');
  });

  test.each(['../scored.csv', '/tmp/scored.csv', 'link/scored.csv'])(
    'never leave the project by %s',
    async (location) => {
      await mkdir(join(root, 'project'));
      await symlink(tmpdir(), join(root, 'link'));
      await expect(write(csv(location, '1,2'))).rejects.toMatchObject({ code: 'invalid' });
    },
  );

  test('are refused before the run where they could not be written', async () => {
    const { recipe } = loadRecipe({
      listFiles: () => ['recipe.yaml'],
      readFile: () => `recipe: regression/v1
target_col: y
steps:
  ingest: {using: csv, location: a.csv}
  ingest_scoring: {using: csv, location: b.csv}
  predict: {save_mode: error, output: {using: csv, location: scored.csv}}
`,
    });
    await checkScoredOutput(root, recipe);
    await writeFile(join(root, 'scored.csv'), '');
    await expect(checkScoredOutput(root, recipe)).rejects.toMatchObject({ code: 'conflict' });
  });
});
