import { describe, expect, test } from 'vitest';
import { load, minimal, project } from '../../test/project.ts';
import { type PlannedStep, planSteps } from './plan-steps.ts';

const custom = '  train:\n    using: custom\n    estimator_method: make\n';
const base = {
  'recipe.yaml': minimal(custom),
  'data/a.csv': 'y\n1\n',
  'steps/train.ts': `import { depth } from '../lib/depth.ts';\nexport const make = (): number => depth;\n`,
  'lib/depth.ts': 'export const depth: number = 3;\n',
};
const plan = (files: Readonly<Record<string, string>>, target?: string): readonly PlannedStep[] =>
  planSteps(load(files).recipe, project(files), target);
const step = (files: Readonly<Record<string, string>>, name: string): PlannedStep => {
  const found = plan(files).find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no step ${name}`);
  return found;
};

describe('the plan', () => {
  test('names each step, its service and what it reads', () => {
    expect(plan(base).map(({ name, service, needs }) => [name, service, needs])).toEqual([
      ['ingest', 'ingest', []],
      ['split', 'ingest', ['ingest']],
      ['transform', 'training', ['ingest', 'split']],
      ['train', 'training', ['ingest', 'split', 'transform']],
      ['evaluate', 'evaluation', ['ingest', 'split', 'transform', 'train']],
      ['register', 'registry', ['ingest', 'split', 'transform', 'train', 'evaluate']],
    ]);
  });

  test('ends at its target, and suggests a step for one that is not there', () => {
    expect(plan(base, 'transform').map(({ name }) => name)).toEqual(['ingest', 'split', 'transform']);
    expect(() => plan(base, 'trane')).toThrow('the recipe has no step "trane"; did you mean "train"?');
  });

  test('refuses data that is not there', () => {
    const { 'data/a.csv': _, ...rest } = base;
    expect(() => plan(rest)).toThrow('steps.ingest.location: the project has no file at "data/a.csv"');
  });

  test('reads every file of a glob and of a directory', () => {
    const files = { ...base, 'data/b.csv': '', 'data/deep/c.csv': '' };
    const at = (location: string) =>
      step({ ...files, 'recipe.yaml': minimal(custom).replace('data/a.csv', location) }, 'ingest').dataFiles;
    expect(at('data')).toEqual(['data/a.csv', 'data/b.csv']);
    expect(at('"data/*.csv"')).toEqual(['data/a.csv', 'data/b.csv']);
    expect(at('"data/**/*.csv"')).toEqual(['data/a.csv', 'data/b.csv', 'data/deep/c.csv']);
  });

  test('never reuses what acts on the world or reads from outside', () => {
    const remote = minimal('  deploy:\n').replace('data/a.csv', 'https://example.org/a.csv');
    expect(step({ ...base, 'recipe.yaml': remote }, 'ingest').uncacheable).toContain('outside the project');
    expect(step({ ...base, 'recipe.yaml': remote }, 'deploy').uncacheable).toBe(
      'it acts on the live endpoint',
    );
    expect(step(base, 'ingest').uncacheable).toBeUndefined();
  });

  test('knows when the champion matters', () => {
    const criterion = '{metric: r2_score, compare: champion, max_regression: 0}';
    const evaluate = `  evaluate: {validation_criteria: [${criterion}]}\n`;
    expect(step({ ...base, 'recipe.yaml': minimal(custom + evaluate) }, 'evaluate').readsChampion).toBe(true);
    expect(step(base, 'evaluate').readsChampion).toBe(false);
  });
});

describe('what a step depends on', () => {
  const changed = (name: string, change: Readonly<Record<string, string>>): readonly string[] => {
    const before = step(base, name).components;
    const after = step({ ...base, ...change }, name).components;
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
      (key) => before[key] !== after[key],
    );
  };

  test('is its code with everything that this imports', () => {
    expect(step(base, 'train').code.map(({ path }) => path)).toEqual(['lib/depth.ts', 'steps/train.ts']);
    expect(changed('train', { 'lib/depth.ts': 'export const depth: number = 4;\n' })).toEqual([
      'code.lib/depth.ts',
    ]);
    expect(changed('split', { 'lib/depth.ts': 'export const depth: number = 4;\n' })).toEqual([]);
  });

  test.each([
    ['comments', '// three\nexport const depth: number = 3; /* deep */\n'],
    ['layout', 'export const depth:   number\n  = 3\n'],
    ['types', 'export const depth: 3 = 3 as const;\n'],
  ])('is not %s', (_, text) => {
    expect(changed('train', { 'lib/depth.ts': text })).toEqual([]);
  });

  test('is not a file that no step calls, nor a comment in the recipe', () => {
    expect(changed('train', { 'lib/other.ts': 'export {};' })).toEqual([]);
    expect(changed('train', { 'recipe.yaml': `# note\n${minimal(custom)}` })).toEqual([]);
  });

  test('is its settings, those of the whole that it uses, and the seed', () => {
    expect(
      changed('split', { 'recipe.yaml': minimal(`${custom}  split: {split_ratios: [8, 1, 1]}\n`) }),
    ).toEqual(['config.split_ratios']);
    expect(changed('split', { 'recipe.yaml': minimal(custom, 'seed: 7\n') })).toEqual(['seed']);
    expect(changed('ingest', { 'recipe.yaml': minimal(custom, 'seed: 7\n') })).toEqual([]);
    expect(changed('evaluate', { 'recipe.yaml': minimal(custom, 'primary_metric: r2_score\n') })).toEqual([
      'recipe.primary_metric',
    ]);
    expect(
      changed('train', { 'recipe.yaml': minimal(`${custom}    timeout: 5m\n    retries: 1\n`) }),
    ).toEqual([]);
  });

  test('is the data, for ingest', () => {
    expect(changed('ingest', { 'data/a.csv': 'y\n2\n' })).toEqual(['data.data/a.csv']);
  });

  test('is the lock of the packages, when code imports any', () => {
    const lock = { 'package-lock.json': '{}' };
    expect(changed('train', lock)).toEqual([]);
    const files = { ...base, 'lib/depth.ts': `import x from 'some-package';\nexport const depth = x;\n` };
    expect(step({ ...files, ...lock }, 'train').components).toHaveProperty(['environment.package-lock.json']);
  });

  test.each([
    [
      'a missing import',
      `import './gone.ts';`,
      'steps/train.ts: imports "./gone.ts", which the project does not have',
    ],
    [
      'an import outside',
      `import '../../gone.ts';`,
      'steps/train.ts: imports "../../gone.ts", which lies outside the project',
    ],
    ['wrong syntax', 'export const = 3;', 'steps/train.ts:1: is not valid code'],
    ['an enum', '\nenum A { B }', 'steps/train.ts:2: is not valid code'],
  ])('cannot be told with %s', (_, text, message) => {
    expect(() => step({ ...base, 'steps/train.ts': text }, 'train')).toThrow(message);
  });

  test('ignores comments in Python, not indentation or text', () => {
    const digestOf = (text: string) =>
      step({ 'recipe.yaml': minimal(custom), 'data/a.csv': '', 'steps/train.py': text }, 'train').code[0]
        ?.digest;
    const source = 'def make():\n    x = "# no comment"\n    return x\n';
    expect(digestOf('# about\n\ndef make():  # it\n    x = "# no comment"\n    return x\n')).toBe(
      digestOf(source),
    );
    expect(digestOf(source.replace('# no', '# a'))).not.toBe(digestOf(source));
    expect(digestOf(source.replace('    return', '  return'))).not.toBe(digestOf(source));
  });

  test('follows imports in Python', () => {
    const files = {
      'recipe.yaml': minimal(custom),
      'data/a.csv': '',
      'steps/train.py':
        'import os, helpers.deep as d\nfrom steps import util\nfrom .near import (\n  a,\n)\n',
      'helpers/__init__.py': '',
      'helpers/deep.py': '',
      'steps/util.py': '',
      'steps/near.py': '',
      'steps/other.py': '',
    };
    expect(step(files, 'train').code.map(({ path }) => path)).toEqual([
      'helpers/__init__.py',
      'helpers/deep.py',
      'steps/near.py',
      'steps/train.py',
      'steps/util.py',
    ]);
  });
});
