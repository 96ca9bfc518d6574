import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attributesOf, headerRecord, headersFromRecord, headersOf } from './cloud-events.ts';

const message = {
  id: 'id-1',
  position: 7,
  sequence: 3,
  time: '2026-01-02T03:04:05.678Z',
  subject: 'millrace.evt.a.b.c.v1',
  type: 'millrace.a.b.c.v1',
  entity: 'a.b/k',
  key: 'k',
  json: '{}',
};

describe('headers of an event', () => {
  it('bring any key, entity and header back as it was', () => {
    const text = fc.string({ unit: 'binary', minLength: 1 }).map((each) => each.toWellFormed());
    fc.assert(
      fc.property(text, text, (key, extra) => {
        const record = headerRecord(
          headersFromRecord(headersOf({ ...message, key, entity: `a.b/${key}`, headers: { extra } }, 'a')),
        );
        expect(attributesOf(record)).toMatchObject({ key, entity: `a.b/${key}`, sequence: 3, id: 'id-1' });
        expect(record.extra).toBe(extra);
      }),
    );
  });

  it('cannot be replaced by headers of the message', () => {
    const record = headerRecord(
      headersFromRecord(headersOf({ ...message, headers: { 'ce-id': 'other' } }, 'a')),
    );
    expect(record['ce-id']).toBe('id-1');
  });

  it.each(['ce-id', 'ce-type', 'ce-subject', 'ce-time', 'ce-millraceentity', 'ce-sequence'])(
    'must have %s',
    (name) => {
      const { [name]: _, ...record } = headerRecord(headersFromRecord(headersOf(message, 'a')));
      expect(() => attributesOf(record)).toThrow(name);
    },
  );
});
