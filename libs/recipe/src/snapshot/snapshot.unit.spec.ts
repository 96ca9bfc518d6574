import { describe, expect, test } from 'vitest';
import { load, minimal } from '../../test/project.ts';
import { buildManifest, decodeManifest, encodeManifest, type ManifestFile } from './manifest.ts';
import { normalizeProjectPath } from './project-path.ts';
import { selectProjectFiles } from './select-files.ts';

const file = (path: string, size = 1): ManifestFile => ({ path, digest: `sha256:${'a'.repeat(64)}`, size });

describe('a path of a project', () => {
  test.each([
    ['./a//b/./c.ts', 'a/b/c.ts'],
    ['a', 'a'],
    ['a b/ü.csv', 'a b/ü.csv'],
  ])('%s becomes %s', (path, expected) => {
    expect(normalizeProjectPath(path)).toBe(expected);
  });

  test.each([
    '',
    '.',
    '..',
    '../a',
    'a/../../b',
    'a/..',
    '/etc/passwd',
    'C:\\a',
    'C:/a',
    'a\\..\\b',
    '~/a',
    'a\u0000b',
    'x'.repeat(2000),
  ])('%j is refused', (path) => {
    expect(() => normalizeProjectPath(path)).toThrow();
  });
});

describe('a manifest', () => {
  test('has one form for one set of files', () => {
    const bytes = encodeManifest(buildManifest([file('b'), file('./a')]));
    expect(bytes).toEqual(encodeManifest(buildManifest([file('a'), file('b')])));
    expect(decodeManifest(bytes).files.map(({ path }) => path)).toEqual(['a', 'b']);
  });

  test.each([
    ['a path twice', [file('a'), file('./a')], 'stands in the snapshot twice'],
    ['a path outside', [file('../a')], 'must not leave the project'],
    ['a bad digest', [{ ...file('a'), digest: 'md5:1' }], 'its digest is not'],
    ['a negative size', [file('a', -1)], 'its size is not'],
    ['a huge file', [file('a', 2 ** 40)], 'is larger than'],
    ['too many files', Array.from({ length: 6000 }, (_, index) => file(`f${index}`)), 'are more than'],
  ])('with %s is refused', (_, files, message) => {
    expect(() => buildManifest(files)).toThrow(message);
  });

  test.each(['', 'null', '[]', '{"files": {}}', '{"files": [null]}', '\u0000'])('%j is not one', (text) => {
    expect(() => decodeManifest(new TextEncoder().encode(text))).toThrow();
  });
});

test('a snapshot holds code, settings and the named data, not environments, results or other data', () => {
  const found = [
    'recipe.yaml',
    'profiles/local.yaml',
    'steps/train.ts',
    'requirements.txt',
    'data/a.csv',
    'data/b.csv',
    'notebooks/n.ipynb',
    '.env',
    '.venv/lib/x.py',
    'node_modules/x/index.js',
    'metadata/mlflow/mlruns.db',
  ].map((path) => ({ path, size: 10 }));
  const { recipe } = load(minimal().replace('data/a.csv', '[data/a.csv, https://example.org/b.csv]'));
  const selected = selectProjectFiles(
    [...found, { path: 'data/big.json', size: 5_000_000 }],
    recipe,
    () => undefined,
  );
  expect(selected.map(({ path }) => path)).toEqual([
    'recipe.yaml',
    'profiles/local.yaml',
    'steps/train.ts',
    'requirements.txt',
    'data/a.csv',
  ]);
});
