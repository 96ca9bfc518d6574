import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MillraceClient } from '@millrace/client';
import { parseManifest } from '@millrace/modeling/manifest';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { uploadModel } from '../src/project/upload-model.ts';

let root: string;
const uploaded = new Map<string, Uint8Array | string>();
const client = {
  blobSize: async () => undefined,
  uploadFile: async (digest: string, path: string) => void uploaded.set(digest, path),
  uploadBytes: async (digest: string, bytes: Uint8Array) => void uploaded.set(digest, bytes),
} as unknown as MillraceClient;

beforeEach(async () => {
  uploaded.clear();
  root = await mkdtemp(join(tmpdir(), 'millrace-upload-'));
  await mkdir(join(root, 'model', 'data'), { recursive: true });
  await writeFile(join(root, 'model', 'MLmodel'), 'flavors: {}');
  await writeFile(join(root, 'model', 'data', 'weights'), 'w');
  await writeFile(join(root, 'secret'), 's');
});
afterEach(() => rm(root, { recursive: true, force: true }));

const upload = () => uploadModel(client, join(root, 'model'), () => {});

it('a model directory is uploaded file by file, links within it followed', async () => {
  await symlink('data/weights', join(root, 'model', 'latest'));
  const manifest = parseManifest(uploaded.get(await upload()) as Uint8Array);
  expect(manifest.files.map(({ path }) => path)).toEqual(['MLmodel', 'data/weights', 'latest']);
  expect(manifest.files[1]?.digest).toBe(manifest.files[2]?.digest);
});

it.each([
  ['outside', '../../secret'],
  ['nowhere', 'absent'],
  ['to a directory above it', '..'],
])('a link that leads %s is refused, naming it', async (_, target) => {
  await symlink(target, join(root, 'model', 'data', 'link'));
  await expect(upload()).rejects.toThrow(/data\/link is a link that leads outside, or nowhere/);
});

it('a directory without MLmodel is refused with what to give instead', async () => {
  await rm(join(root, 'model', 'MLmodel'));
  await expect(upload()).rejects.toMatchObject({
    code: 'invalid',
    hint: expect.stringMatching(/save_model/),
  });
});
