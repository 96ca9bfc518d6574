import { describe, expect, it } from 'vitest';
import { productionClosure } from './production-closure.ts';

const packages = {
  'services/alpha': {
    dependencies: { '@m/lib': '*', near: '1' },
    devDependencies: { '@m/test-lib': '*' },
  },
  'services/alpha/node_modules/near': {},
  'libs/lib': { dependencies: { far: '1' }, devDependencies: { '@m/test-lib': '*' } },
  'libs/test-lib': { dependencies: { heavy: '1' } },
  'node_modules/@m/lib': { link: true, resolved: 'libs/lib' },
  'node_modules/@m/test-lib': { link: true, resolved: 'libs/test-lib' },
  'node_modules/near': {},
  'node_modules/far': {
    dependencies: { deep: '1' },
    optionalDependencies: { 'other-platform': '1' },
    peerDependencies: { peer: '1', unwanted: '1' },
    peerDependenciesMeta: { unwanted: { optional: true } },
  },
  'node_modules/far/node_modules/deep': { dependencies: { near: '1' } },
  'node_modules/heavy': {},
  'node_modules/peer': {},
  'node_modules/unwanted': {},
};

describe('the production closure of a workspace', () => {
  it('follows dependencies through workspaces, nested packages and peers', () => {
    expect(productionClosure(packages, 'services/alpha')).toEqual({
      workspaces: ['libs/lib', 'services/alpha'],
      installed: [
        'node_modules/far',
        'node_modules/far/node_modules/deep',
        'node_modules/near',
        'node_modules/peer',
        'services/alpha/node_modules/near',
      ],
    });
  });

  it('leaves out what only development needs, and peers that may be absent', () => {
    const { workspaces, installed } = productionClosure(packages, 'services/alpha');
    expect(workspaces).not.toContain('libs/test-lib');
    expect(installed).not.toContain('node_modules/heavy');
    expect(installed).not.toContain('node_modules/unwanted');
  });

  it('leaves out what it is told to, with what nothing else needs', () => {
    const { installed } = productionClosure(packages, 'services/alpha', ['far']);
    expect(installed).toEqual(['services/alpha/node_modules/near']);
  });

  it('refuses a dependency that is not locked, and a workspace that does not exist', () => {
    expect(() => productionClosure({ 'services/a': { dependencies: { gone: '1' } } }, 'services/a')).toThrow(
      'services/a needs gone, which is not locked',
    );
    expect(() => productionClosure(packages, 'services/none')).toThrow('services/none is not a workspace');
  });
});
