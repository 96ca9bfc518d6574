import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSecretFiles } from './secret-files.mjs';

describe('secrets in files', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-secrets-'));
    writeFileSync(join(directory, 'token'), 'sixteen-or-more-characters\n');
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it('become the variables that they are named after, without the line end', () => {
    const env: Record<string, string> = {
      MILLRACE_TOKEN_FILE: join(directory, 'token'),
      MILLRACE_STORE_URL_FILE: '',
    };
    readSecretFiles(env);
    expect(env.MILLRACE_TOKEN).toBe('sixteen-or-more-characters');
    expect(env.MILLRACE_STORE_URL).toBeUndefined();
  });

  it('name the variable when there is no such file, or the value is set as well', () => {
    const missing = { MILLRACE_TOKEN_FILE: join(directory, 'none') };
    expect(() => readSecretFiles(missing)).toThrow('MILLRACE_TOKEN_FILE: ENOENT');
    const both = { MILLRACE_TOKEN_FILE: join(directory, 'token'), MILLRACE_TOKEN: 'another' };
    expect(() => readSecretFiles(both)).toThrow('MILLRACE_TOKEN and MILLRACE_TOKEN_FILE are both set');
  });
});
