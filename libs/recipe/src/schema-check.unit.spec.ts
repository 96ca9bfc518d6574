import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, it } from 'vitest';
import { recipeSchema } from './schema-check.ts';

it('publishes a valid JSON Schema', () => {
  const ajv = new Ajv2020();
  expect(ajv.validateSchema(recipeSchema), ajv.errorsText()).toBe(true);
  expect(ajv.validateSchema({ ...recipeSchema, type: 'no type' })).toBe(false);
});
