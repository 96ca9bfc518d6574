import { expect, test } from 'vitest';
import type { PackageFiles } from '../package/manifest.ts';
import { describesModel, packageEnvironmentSpec } from './environment.ts';

const wheel = 'wheels/prices-1.0-py3-none-any.whl';
const packageOf = (texts: Readonly<Record<string, string>>): PackageFiles =>
  new Map(
    Object.entries({
      'model.json': '{"kind":"python"}',
      'environment.json': '{"python":"3.11.7"}',
      ...texts,
    }).map(([path, text]) => [path, new TextEncoder().encode(text)]),
  );

test("the environment of a model has the project's own packages, which lie in the model", () => {
  const files = packageOf({ 'requirements.txt': `pandas==2.3.3\n${wheel}\n`, [wheel]: 'a wheel' });
  expect([...files.keys()].filter(describesModel)).toEqual([...files.keys()]);
  expect(packageEnvironmentSpec(files)).toMatchObject({
    python: '3.11',
    lock: `pandas==2.3.3\n${wheel}\n`,
    wheels: { 'prices-1.0-py3-none-any.whl': Buffer.from('a wheel').toString('base64') },
  });
});

test('a model that lacks a package which its lock names is refused', () => {
  expect(() => packageEnvironmentSpec(packageOf({ 'requirements.txt': `${wheel}\n` }))).toThrow(
    `${wheel}: the model package lacks this file`,
  );
});

test('a model without such packages needs no wheels', () => {
  expect(packageEnvironmentSpec(packageOf({ 'requirements.txt': 'pandas==2.3.3\n' }))).not.toHaveProperty(
    'wheels',
  );
});
