import { describe, expect, it } from 'vitest';
import { accepts, parseSpecifiers } from './python-version.ts';

describe('a wanted version of Python', () => {
  it.each([
    ['3.11', '3.11.7', true],
    ['3.11.2', '3.11.7', true],
    ['3.11', '3.12.0', false],
    ['=3.11', '3.11.1', true],
    ['==3.11.*', '3.11.1', true],
    ['==3.11.4', '3.11.1', true],
    ['>=3.9', '3.11.7', true],
    ['>=3.9,<3.11', '3.11.7', false],
    ['>=3.9 <3.12', '3.11.7', true],
    ['>3.10', '3.11.7', true],
    ['<=3.11', '3.11.0', true],
    ['!=3.11.*', '3.11.7', false],
    ['!=3.10.1', '3.11.7', true],
    ['~=3.9', '3.11.7', true],
    ['~=3.9.1', '3.11.7', false],
    ['^3.9', '3.11.7', true],
    ['^3.9', '4.0.0', false],
  ])('%s takes %s: %s', (wanted, version, expected) => {
    expect(accepts(parseSpecifiers(wanted), version)).toBe(expected);
  });

  it('that is none is refused', () => {
    expect(() => parseSpecifiers('three')).toThrow('`three` is no version of Python');
  });
});
