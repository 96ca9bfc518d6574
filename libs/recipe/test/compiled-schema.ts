import { Ajv2020 } from 'ajv/dist/2020.js';
import { default as standalone } from 'ajv/dist/standalone/index.js';
import { recipeSchema } from '../src/schema-check.ts';

const header = `// Made of schema/recipe.schema.json by \`npx vitest run libs/recipe/src/schema-check.unit.spec.ts -u\`; do not edit.
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
`;

/** The code of the functions that check a recipe, and a data contract in a file of its own, as a module. */
export const compiledSchema = (): string => {
  // Verbose errors carry the value and the schema around it, from which the messages are made.
  const options = { allErrors: true, verbose: true, strictTypes: false };
  const ajv = new Ajv2020({ ...options, code: { source: true, esm: true, lines: true } });
  ajv.addKeyword({ keyword: 'x-expect', schemaType: 'string' });
  ajv.addSchema(recipeSchema);
  const { $id } = recipeSchema as { $id: string };
  const code = standalone.default(ajv, { validateRecipe: $id, validateContract: `${$id}#/$defs/contract` });
  return header + code.replace('"use strict";', '');
};
