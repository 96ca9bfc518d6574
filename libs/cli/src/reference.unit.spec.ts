import { fileURLToPath } from 'node:url';
import { ErrorCode, exitCodeOf } from '@millrace/errors';
import { describe, expect, it } from 'vitest';
import { createProgram } from './program.ts';
import { reference } from './reference.ts';

const file = fileURLToPath(new URL('../../../docs/cli.md', import.meta.url));

describe('docs/cli.md', () => {
  it('says what the program does: renew it with `npx vitest run libs/cli/src/reference.unit.spec.ts -u`', async () => {
    await expect(reference(await createProgram())).toMatchFileSnapshot(file);
  });

  it('names every exit code of the taxonomy', async () => {
    const text = reference(await createProgram());
    for (const code of Object.values(ErrorCode)) expect(text).toContain(`- \`${exitCodeOf(code)}\` `);
  });
});
