import { describe, expect, it } from 'vitest';
import { expectInvalid, keysOf, type OpenStore, useStore } from './fixture.ts';

const hostileTexts = [
  '__proto__',
  'constructor',
  '$where',
  '$key',
  'a.b',
  'a..b.',
  '.',
  '..',
  '../../etc/passwd',
  "'; DROP TABLE runs; --",
  '"',
  '`',
  '\\',
  '%',
  '_',
  '*',
  '?',
  'null',
  ' ',
  'ünïcode',
  '漢字',
  '🚂',
  '\u{10FFFF}',
  '\uFFFD',
  'e\u0301',
  '\u00e9',
  '\u202e',
];

const hostileKeys = [...hostileTexts, 'k'.repeat(512)];

const badKeys: readonly (readonly [key: unknown, reason: string])[] = [
  ['', 'is empty'],
  ['k'.repeat(513), 'is too long'],
  ['a\u0000b', 'holds a NUL'],
  ['a\nb', 'holds a line break'],
  ['\ud800', 'holds half a character'],
  [7, 'is a number'],
  [undefined, 'is absent'],
  [{ $ne: null }, 'is an object'],
];

const deep = (levels: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = { inner: value };
  return value;
};

const byCodePoint = (one: string, other: string): number =>
  Buffer.compare(Buffer.from(one), Buffer.from(other));

export const describeHostileInput = (open: OpenStore): void => {
  describe('hostile input', () => {
    const fixture = useStore(open);

    it('is kept apart as keys, in the order of code points', async () => {
      await Promise.all(hostileKeys.map((key) => fixture.runs.insert(key, { note: key })));
      for (const key of hostileKeys) {
        expect((await fixture.runs.get(key))?.document.note).toBe(key);
      }
      const { items } = await fixture.runs.find({ limit: 1000 });
      expect(keysOf(items)).toEqual(hostileKeys.toSorted(byCodePoint));
      const pages: string[] = [];
      for await (const { key } of fixture.runs.scan()) pages.push(key);
      expect(pages).toEqual(hostileKeys.toSorted(byCodePoint));
    });

    it.each(hostileTexts)('%j is a value, a property name and a filter like any other', async (text) => {
      const document = JSON.parse(
        JSON.stringify({ state: text, tags: { TAG: text }, note: { TAG: [text] } }).replaceAll(
          '"TAG"',
          JSON.stringify(text),
        ),
      );
      await fixture.runs.insert('hit', document);
      await fixture.runs.insert('miss', { state: `${text}!`, tags: { other: text } });
      expect(JSON.stringify((await fixture.runs.get('hit'))?.document)).toBe(JSON.stringify(document));
      const hits = [
        { field: 'state', op: 'eq', value: text },
        { field: 'state', op: 'in', value: [text] },
        { field: ['tags', text], op: 'eq', value: text },
        { field: ['tags', text], op: 'prefix', value: text },
        { field: ['tags', text], op: 'exists', value: true },
      ] as const;
      for (const filter of hits) expect(keysOf((await fixture.runs.find({ filter })).items)).toEqual(['hit']);
      expect(await fixture.runs.count({ field: 'state', op: 'prefix', value: text })).toBe(2);
    });

    it('of numbers at the limits is kept exactly', async () => {
      const numbers = [2 ** 53, 2 ** 53 - 1, -(2 ** 53), 1e308, 5e-324, 0.1, 1 / 3, 2 ** 31, 2 ** 63];
      for (const [index, score] of numbers.entries()) {
        await fixture.runs.insert(`n${index}`, { score, metrics: { value: score } });
        expect((await fixture.runs.get(`n${index}`))?.document.score).toBe(score);
        const filter = { and: [{ field: 'score', op: 'eq', value: score }] } as const;
        expect(keysOf((await fixture.runs.find({ filter })).items)).toEqual([`n${index}`]);
        const entry = { field: ['metrics', 'value'], op: 'in', value: [score] } as const;
        expect(keysOf((await fixture.runs.find({ filter: entry })).items)).toEqual([`n${index}`]);
      }
      const sort = { field: 'score', direction: 'asc' } as const;
      const { items } = await fixture.runs.find({ sort });
      expect(items.map(({ document }) => document.score)).toEqual(numbers.toSorted((a, b) => a - b));
    });

    it.each(badKeys)('as key is refused: %j %s', async (key) => {
      await expectInvalid(fixture.runs.insert(key as string, {}), 'key');
      await expectInvalid(fixture.runs.get(key as string), 'key');
      await expectInvalid(
        fixture.runs.update(key as string, () => ({ document: {} })),
        'key',
      );
    });

    it.each([
      ['a Date', { note: new Date(0) }, 'document.note'],
      ['a bigint', { note: 1n }, 'document.note'],
      ['NaN', { note: { deep: [1, Number.NaN] } }, 'document.note.deep[1]'],
      ['an infinity', { note: Number.POSITIVE_INFINITY }, 'document.note'],
      ['a function', { note: () => 1 }, 'document.note'],
      ['a symbol', { note: Symbol('x') }, 'document.note'],
      ['undefined in a list', { note: [undefined] }, 'document.note[0]'],
      ['a Map', { note: new Map() }, 'document.note'],
      ['bytes', { note: new Uint8Array(2) }, 'document.note'],
      ['half a character', { note: '\udc00' }, 'document.note'],
      ['a list', [1], 'document'],
      ['a text', 'text', 'document'],
      ['a Date alone', new Date(0), 'document'],
    ])('as document is refused: %s', async (_, document, path) => {
      await expectInvalid(fixture.runs.insert('a', document as never), path);
      expect(await fixture.runs.get('a')).toBeUndefined();
    });

    it('as document is refused: too deep, endless or too large', async () => {
      const endless: Record<string, unknown> = {};
      endless.self = endless;
      await expect(fixture.runs.insert('a', { note: deep(200) })).rejects.toMatchObject({ code: 'invalid' });
      await expect(fixture.runs.insert('a', { note: endless })).rejects.toMatchObject({ code: 'invalid' });
      const large = 'x'.repeat(9 * 1024 * 1024);
      await expectInvalid(fixture.runs.insert('a', { note: large }), 'document');
      await fixture.runs.insert('a', { note: deep(90) });
    });

    it('takes a property that is undefined as absent', async () => {
      await fixture.runs.insert('a', { state: undefined, note: { x: undefined, y: 1 } });
      expect(Object.keys((await fixture.runs.get('a'))?.document ?? {})).toEqual(['note']);
      expect(await fixture.runs.count({ field: 'state', op: 'exists', value: false })).toBe(1);
    });

    it('as version is refused', async () => {
      for (const expected of [-1, 0.5, Number.NaN, '1', undefined]) {
        const change = { key: 'a', expected: expected as number, document: {} };
        await expectInvalid(fixture.runs.commit(change), 'expected');
      }
    });
  });
};
