import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type LockedPackage, productionClosure } from './production-closure.ts';
import { unusedPackages } from './unused-packages.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, LockedPackage> };
const sourcesOf = (folder: string): readonly string[] =>
  globSync(`${folder}/src/**/*.ts`, { cwd: root }).filter((file) => !file.endsWith('.spec.ts'));

/** What opens the query engine: the functions of libs/tabular in whose files that is done, which import it on use. */
const opening = sourcesOf('libs/tabular')
  .map(read)
  .filter((text) => /\bopenDuckDb\b/.test(text))
  .flatMap((text) =>
    [...text.matchAll(/^export (?:const|(?:async )?function) (\w+)/gm)].map(([, name]) => name),
  );

describe('packages that an image lacks', () => {
  it('are those of services that open no query engine, nor do their libraries', () => {
    expect(opening).toEqual(expect.arrayContaining(['openDuckDb', 'readTable']));
    const opens = new RegExp(`\\b(${opening.join('|')})\\(`);
    for (const service of Object.keys(unusedPackages)) {
      const { workspaces } = productionClosure(packages, `services/${service}`);
      for (const folder of workspaces.filter((name) => name !== 'libs/tabular')) {
        const users = sourcesOf(folder).filter((file) => opens.test(read(file)));
        expect(users, `${service}: remove it from unused-packages.ts`).toEqual([]);
      }
    }
  });

  it('would be in the image otherwise', () => {
    for (const [service, names] of Object.entries(unusedPackages)) {
      const { installed } = productionClosure(packages, `services/${service}`);
      for (const name of names) expect(installed).toContain(`node_modules/${name}`);
    }
  });
});
