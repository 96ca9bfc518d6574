import { describe, expect, it } from 'vitest';
import { isAtLeast, parseVersion } from './version.ts';

describe('a version', () => {
  it('is read from what the server prints', () => {
    expect(parseVersion('nats-server: v2.15.2\n')).toBe('2.15.2');
    expect(parseVersion('nats-server: unknown')).toBeUndefined();
  });

  it.each([
    ['2.11.0', true],
    ['2.15.2', true],
    ['3.0.0', true],
    ['2.9.10', false],
    ['2.10.29', false],
    ['1.99.99', false],
  ])('%s is recent enough: %s', (version, recent) => {
    expect(isAtLeast(version, '2.11.0')).toBe(recent);
  });
});
