import { describe, expect, it } from 'vitest';
import { lockedPackages } from './locked-packages.ts';

const lock = {
  packages: {
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a', dependencies: { b: '^1', c: '^1' } },
    'node_modules/a/node_modules/b': { version: '1.5.0', integrity: 'sha512-b1' },
    'node_modules/b': { version: '2.0.0', integrity: 'sha512-b2' },
    'node_modules/c': { version: '1.0.0', integrity: 'sha512-c', dependencies: { a: '^1' } },
    'libs/x/node_modules/d': { version: '3.0.0', integrity: 'sha512-d' },
    'node_modules/unrelated': { version: '9.0.0', integrity: 'sha512-u' },
  },
};

describe('the packages that a lock file fixes for a model', () => {
  it('are those named and all that they depend on, as Node resolves them', () => {
    expect(lockedPackages(lock, 'libs/x', ['a', 'd'])).toEqual([
      'libs/x/node_modules/d 3.0.0 sha512-d',
      'node_modules/a 1.0.0 sha512-a',
      'node_modules/a/node_modules/b 1.5.0 sha512-b1',
      'node_modules/c 1.0.0 sha512-c',
    ]);
  });
});
