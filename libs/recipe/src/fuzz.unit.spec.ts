import { Invalid } from '@millrace/errors';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { minimal, project } from '../test/project.ts';
import { loadRecipe, planSteps } from './index.ts';

const loadsOrRefuses = (files: Readonly<Record<string, string>>, profile: string): void => {
  const source = project(files);
  try {
    planSteps(loadRecipe({ ...source, profile }).recipe, source);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(Invalid);
    expect((thrown as Invalid).message).not.toBe('');
  }
};

const fragments = fc.constantFrom(
  ...[
    '{{',
    '}}',
    '{%',
    '%}',
    '{#',
    '#}',
    '"',
    "'",
    '\n',
    '  ',
    ': ',
    '- ',
    '#',
    '|',
    '&a ',
    '*a',
    '<<: ',
    '!!',
    '[',
    ']',
  ],
  ...[
    '{',
    '}',
    'steps',
    'ingest',
    'using',
    'recipe',
    'null',
    '__proto__',
    'constructor',
    '0',
    '-1',
    'a',
    '\t',
    '?',
    '>',
  ],
  ...[
    'raw',
    'if',
    'for x in',
    'endfor',
    'endif',
    'default',
    '(',
    ')',
    '\u0000',
    '\uE000',
    '\\',
    ',',
    '---',
    '...',
  ],
);

test('any text is loaded or refused as invalid', () => {
  fc.assert(
    fc.property(fc.array(fragments, { maxLength: 40 }), (parts) =>
      loadsOrRefuses({ 'recipe.yaml': parts.join('') }, ''),
    ),
    { seed: 1, numRuns: 1000 },
  );
  fc.assert(
    fc.property(fc.string(), fc.string(), (recipe, profile) =>
      loadsOrRefuses({ 'recipe.yaml': recipe, 'profiles/p.yaml': profile }, 'p'),
    ),
    { seed: 2, numRuns: 500 },
  );
});

test('a good recipe with anything inserted anywhere is loaded or refused as invalid', () => {
  const good = minimal(
    '  split: {split_ratios: [1, 1, 1]}\n  train:\n    tuning: {enabled: false}\n  deploy:\n',
  );
  fc.assert(
    fc.property(fc.nat(good.length), fc.array(fragments, { minLength: 1, maxLength: 4 }), (at, parts) =>
      loadsOrRefuses({ 'recipe.yaml': good.slice(0, at) + parts.join('') + good.slice(at) }, ''),
    ),
    { seed: 3, numRuns: 1000 },
  );
});

test('any values under known keys are loaded or refused as invalid', () => {
  const keys = [
    'ingest',
    'split',
    'transform',
    'train',
    'evaluate',
    'register',
    'deploy',
    'monitor',
    'predict',
  ];
  const inner = [
    'using',
    'location',
    'split_ratios',
    'tuning',
    'slices',
    'validation_criteria',
    'rules',
    'window',
    'cache',
  ];
  const value = fc.jsonValue({ maxDepth: 3 });
  const section = fc.oneof(value, fc.dictionary(fc.constantFrom(...inner), value));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...keys), section), (steps) => {
      const recipe = { recipe: 'regression/v1', target_col: 'y', steps };
      loadsOrRefuses({ 'recipe.yaml': JSON.stringify(recipe) }, '');
    }),
    { seed: 4, numRuns: 300 },
  );
});

test('any step code is planned or refused as invalid', () => {
  const recipe = minimal('  train: {using: custom, estimator_method: make}\n');
  const piece = fc.constantFrom(
    ...[
      'import ',
      'export ',
      'from ',
      "'./a.ts'",
      "'../../b.ts'",
      'const ',
      'x',
      '=',
      '{',
      '}',
      '(',
      ')',
      ';',
      '`',
      '${',
    ],
    ...[
      '// c\n',
      '/*',
      '*/',
      ': number',
      'enum E {}',
      'await ',
      'import(x)',
      '"',
      '/re/g',
      '1n',
      '\n',
      '@d ',
      '<T>',
      '#!',
    ],
  );
  for (const extension of ['ts', 'js', 'py']) {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 25 }), (parts) => {
        const files = {
          'recipe.yaml': recipe,
          'data/a.csv': '',
          [`steps/train.${extension}`]: parts.join(''),
        };
        loadsOrRefuses(files, '');
      }),
      { seed: 5, numRuns: 300 },
    );
  }
  const nested = `export const make = ${'['.repeat(20_000)}${']'.repeat(20_000)};`;
  loadsOrRefuses({ 'recipe.yaml': recipe, 'data/a.csv': '', 'steps/train.ts': nested }, '');
  const added = `export const make = ${'1 + '.repeat(20_000)}1;`;
  loadsOrRefuses({ 'recipe.yaml': recipe, 'data/a.csv': '', 'steps/train.js': added }, '');
});
