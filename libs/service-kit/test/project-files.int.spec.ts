import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BlobStore, openFsBlobStore } from '@millrace/blobs';
import { ErrorCode, type MillraceError } from '@millrace/errors';
import { buildManifest, decodeManifest, encodeManifest } from '@millrace/recipe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openProject } from '../src/index.ts';

let directory: string;
let blobs: BlobStore;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-project-'));
  blobs = await openFsBlobStore({ directory: join(directory, 'blobs') });
});
afterAll(async () => {
  await blobs.close();
  await rm(directory, { recursive: true, force: true });
});

const put = (text: string) => blobs.put(new TextEncoder().encode(text));
const openText = async (text: string) => openProject(blobs, (await put(text)).digest);
const codeOf = (failing: Promise<unknown>): Promise<string> =>
  failing.then(
    () => 'none',
    ({ code }: MillraceError) => code,
  );

const outside = [
  '../secret',
  'steps/../../secret',
  '/etc/passwd',
  './recipe.yaml/..',
  '..',
  'C:/windows',
  '~/secret',
  'steps\\..\\secret',
  'a\u0000b',
  'a\nb',
];

describe('a project snapshot', () => {
  it('gives its files by path and lays them out below a directory', async () => {
    const recipe = await put('recipe: regression/v1');
    const helper = await put('export {};');
    const manifest = encodeManifest(
      buildManifest([
        { path: 'steps/lib/helper.ts', ...helper },
        { path: 'recipe.yaml', ...recipe },
      ]),
    );
    const project = await openProject(blobs, (await blobs.put(manifest)).digest);
    expect(await project.readText('recipe.yaml')).toBe('recipe: regression/v1');
    expect(await codeOf(project.readText('../recipe.yaml'))).toBe(ErrorCode.notFound);
    const target = join(directory, 'laid-out');
    const paths = await project.materialize(project.files, target);
    expect(paths).toEqual([join(target, 'recipe.yaml'), join(target, 'steps/lib/helper.ts')]);
    expect(await readFile(paths[1] ?? '', 'utf8')).toBe('export {};');
  });

  it.each(outside)('with a path outside (%j) is refused, here and where snapshots are made', async (path) => {
    const text = JSON.stringify({ files: [{ path, ...(await put('x')) }] });
    expect(await codeOf(openText(text))).toBe(ErrorCode.invalid);
    // `x/..` is normalised away by the maker, which then has nothing left to refuse.
    if (path !== './recipe.yaml/..') expect(() => decodeManifest(new TextEncoder().encode(text))).toThrow();
  });

  it.each([
    ['no JSON', 'files: []'],
    ['no list', '{"files": 3}'],
    ['no object', 'null'],
    ['a bad digest', '{"files":[{"path":"a","digest":"sha256:12","size":1}]}'],
    ['a negative size', `{"files":[{"path":"a","digest":"sha256:${'0'.repeat(64)}","size":-1}]}`],
    [
      'a path twice',
      JSON.stringify({
        files: [1, 2].map((size) => ({ path: 'a', digest: `sha256:${'0'.repeat(64)}`, size })),
      }),
    ],
  ])('whose manifest has %s is refused', async (_, text) => {
    expect(await codeOf(openText(text))).toBe(ErrorCode.invalid);
  });

  it('whose manifest or file is gone is not found', async () => {
    expect(await codeOf(openProject(blobs, `sha256:${'0'.repeat(64)}`))).toBe(ErrorCode.notFound);
    expect(await codeOf(openProject(blobs, 'latest'))).toBe(ErrorCode.invalid);
  });
});
