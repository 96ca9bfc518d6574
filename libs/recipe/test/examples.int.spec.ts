import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { listProjectFiles, loadRecipe, planSteps } from '../src/index.ts';

const examples = fileURLToPath(new URL('../../../examples', import.meta.url));
const projects = readdirSync(examples, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** Old words that an example keeps on purpose, so that it also runs where they are the only ones. */
const oldSpelling = /is spelled `\w+` today$/;

test.each(projects)(
  'the example %s runs in the runtime of its step files with each of its profiles',
  async (name) => {
    const root = join(examples, name);
    const found = (await listProjectFiles(root)).map(({ path }) => path);
    const files = {
      listFiles: () => found,
      readFile: (path: string) => (found.includes(path) ? readFileSync(join(root, path), 'utf8') : undefined),
      digestOf: (path: string) => (found.includes(path) ? path : undefined),
    };
    const runtime = found.some((path) => /^steps\/.+\.py$/.test(path)) ? 'python' : 'node';
    const profiles = found
      .map((path) => /^profiles\/(.+)\.yaml$/.exec(path)?.[1])
      .filter((profile) => profile !== undefined);
    for (const profile of profiles.length === 0 ? [''] : profiles) {
      const { recipe, warnings } = loadRecipe({ ...files, profile, projectName: name });
      expect(warnings.filter((warning) => !oldSpelling.test(warning))).toEqual([]);
      expect(recipe.runtime).toBe(runtime);
      expect(planSteps(recipe, files).length).toBeGreaterThan(0);
    }
  },
);
