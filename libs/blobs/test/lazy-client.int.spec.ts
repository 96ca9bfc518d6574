import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('a store in a directory does not load the client of S3', () => {
  const script = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
    const { openBlobStore } = await import('${join(import.meta.dirname, '../src/index.ts')}');
    const { mkdtemp, rm } = await import('node:fs/promises');
    const directory = await mkdtemp('/tmp/millrace-lazy-');
    await openBlobStore({ url: 'fs:' + directory, dataDir: directory });
    await rm(directory, { recursive: true });
    console.log(JSON.stringify(loaded.filter((url) => url.includes('@aws-sdk') || url.includes('/s3-blob-store'))));
  `;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  expect(JSON.parse(output)).toEqual([]);
});
