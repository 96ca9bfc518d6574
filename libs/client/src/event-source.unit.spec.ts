import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { serverSentEvents } from './event-source.ts';

const parse = async (...chunks: (string | Uint8Array)[]) => {
  const events = [];
  const bytes = chunks.map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk));
  for await (const event of serverSentEvents(Readable.from(bytes))) events.push(event);
  return events;
};

describe('server-sent events', () => {
  it('have a type, data and an id', async () => {
    expect(await parse('id: 7\nevent: run\ndata: {"a":1}\n\n')).toEqual([
      { id: '7', event: 'run', data: '{"a":1}' },
    ]);
  });

  it('are messages when they name no type, and may have many lines', async () => {
    expect(await parse('data: one\ndata:two\ndata:  three\n\n')).toEqual([
      { event: 'message', data: 'one\ntwo\n three' },
    ]);
  });

  it('come whole however they are cut, between and inside characters', async () => {
    const text = ': hello\n\nevent: a\r\ndata: ü€😀\r\n\r\ndata: next\n\n';
    const bytes = Buffer.from(text);
    const cut = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
    expect(await parse(...cut)).toEqual([
      { event: 'a', data: 'ü€😀' },
      { event: 'message', data: 'next' },
    ]);
  });

  it('without data, comments, and what is cut off at the end are left out', async () => {
    expect(await parse(': keep-alive\n\nevent: empty\n\ndata: cut off')).toEqual([]);
  });
});
