import { describe, expect, test } from 'vitest';
import { parseActor } from './actor.ts';
import { parseNodeId } from './lineage/graph.ts';
import { parseAlias, parseModelName, parseVersionNumber } from './names.ts';
import { defaultPolicy, parsePolicy } from './policy.ts';

const pathOf = (parse: () => unknown): string => {
  try {
    parse();
  } catch (error) {
    return (error as { violations: { path: string }[] }).violations[0]?.path ?? 'none';
  }
  return 'accepted';
};

describe('input', () => {
  test('accepts names of models and aliases as the field uses them', () => {
    for (const name of ['flights', 'Taxi fare', 'a', 'x_1.2-rc']) expect(parseModelName(name)).toBe(name);
    for (const alias of ['production', 'Champion', 'v2-candidate', '2026-10'])
      expect(parseAlias(alias)).toBe(alias);
  });

  test('refuses names that would break a key or read like a version, naming the field', () => {
    for (const name of ['', 'a/b', 'a:b', ' a', 'a ', '../x', 'é', '*', 'a\n', 'x'.repeat(256)]) {
      expect(pathOf(() => parseModelName(name))).toBe('model');
    }
    for (const alias of ['', 'a b', 'a/b', '3', 'v3', 'V12', 'latest', 'Latest', '__proto__', '-x']) {
      expect(pathOf(() => parseAlias(alias))).toBe('alias');
    }
  });

  test('refuses version numbers that are not counts', () => {
    for (const version of [0, -1, 1.5, Number.NaN]) {
      expect(pathOf(() => parseVersionNumber(version))).toBe('version');
    }
    expect(parseVersionNumber(0, 'version', 0)).toBe(0);
  });

  test('wants to know who acts', () => {
    expect(pathOf(() => parseActor(undefined))).toBe('actor.name');
    expect(pathOf(() => parseActor({ name: '  ', reason: 'x' }))).toBe('actor.name');
    expect(pathOf(() => parseActor({ name: 'user:ada', reason: 'x'.repeat(2_001) }))).toBe('actor.reason');
    expect(parseActor({ name: ' user:ada ', reason: ' ok ' })).toEqual({ name: 'user:ada', reason: 'ok' });
  });

  test('refuses a policy that nobody could meet or that says nothing', () => {
    const wrong = (changes: object) => pathOf(() => parsePolicy({ ...defaultPolicy, ...changes }));
    expect(pathOf(() => parsePolicy(undefined))).toBe('policy');
    expect(wrong({ requiredApprovals: 0 })).toBe('policy.requiredApprovals');
    expect(wrong({ approvalExpiryDays: -1 })).toBe('policy.approvalExpiryDays');
    expect(wrong({ protectedAliases: ['production', 'v1'] })).toBe('policy.protectedAliases[1]');
  });

  test('reads node ids of known kinds only', () => {
    expect(parseNodeId('model_version:flights/3')).toBe('model_version:flights/3');
    for (const text of ['', 'model_version:', 'nothing:x', 'flights/3', ':x']) {
      expect(parseNodeId(text)).toBeUndefined();
    }
  });
});
