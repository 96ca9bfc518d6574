import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, it } from 'vitest';
import { compiledSchema } from '../test/compiled-schema.ts';
import { recipeSchema } from './schema-check.ts';

it('publishes a valid JSON Schema', () => {
  const ajv = new Ajv2020();
  expect(ajv.validateSchema(recipeSchema), ajv.errorsText()).toBe(true);
  expect(ajv.validateSchema({ ...recipeSchema, type: 'no type' })).toBe(false);
});

it('checks by what the schema compiles to: renew it with `npx vitest run libs/recipe/src/schema-check.unit.spec.ts -u`', async () => {
  const file = fileURLToPath(new URL('generated/validators.js', import.meta.url));
  await expect(compiledSchema()).toMatchFileSnapshot(file);
});
