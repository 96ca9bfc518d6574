import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as stable from '@opentelemetry/semantic-conventions';
import * as incubating from '@opentelemetry/semantic-conventions/incubating';
import { describe, expect, it } from 'vitest';
import type { SpanRecord } from '../span-record.ts';
import { spanProblems } from './check-span.ts';
import { spanConventions } from './conventions.ts';
import { ownAttributes } from './own-attributes.ts';
import { ownSpans } from './own-spans.ts';
import { schemaPage } from './schema-page.ts';

const span = (changes: Partial<SpanRecord>): SpanRecord => ({
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  parentSpanId: '00f067aa0ba902b7',
  name: 'close window',
  kind: 'internal',
  service: 'monitoring',
  start: 0,
  duration: 1,
  attributes: { 'millrace.endpoint.name': 'flights', 'millrace.window.number': 3 },
  links: [],
  ...changes,
});

const call = span({
  name: 'millrace.registry.v1.RegistryService/GetModel',
  kind: 'server',
  service: 'registry',
  attributes: {
    'rpc.system.name': 'grpc',
    'rpc.method': 'millrace.registry.v1.RegistryService/GetModel',
    'rpc.status_code': 'OK',
  },
});

const processed = span({
  name: 'process millrace.step.training.train',
  kind: 'consumer',
  service: 'training',
  attributes: {
    'messaging.system.name': 'nats',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': 'millrace.step.training.train',
    'messaging.message.id': '01k8',
    'messaging.message.body.size': 20,
    'messaging.consumer.group.name': 'training-steps',
  },
  links: [{ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: '00f067aa0ba902b7' }],
});

const without = (record: SpanRecord, name: string): SpanRecord => {
  const { [name]: _left, ...attributes } = record.attributes;
  return { ...record, attributes };
};

const withAttributes = (record: SpanRecord, attributes: Record<string, unknown>): SpanRecord => ({
  ...record,
  attributes: { ...record.attributes, ...attributes },
});

describe('spanProblems', () => {
  it('finds none in spans that follow the conventions and the schema', () => {
    for (const record of [span({}), call, processed]) expect(spanProblems(record)).toEqual([]);
  });

  it.each([
    [
      'an attribute of ours that is not in the schema',
      withAttributes(call, { 'millrace.who': 'a' }),
      'millrace.who is not in the schema',
    ],
    ['a missing attribute of a convention', without(call, 'rpc.status_code'), 'rpc.status_code is missing'],
    [
      'a missing attribute of ours',
      without(span({}), 'millrace.window.number'),
      'millrace.window.number is missing',
    ],
    [
      'an attribute that the convention does not know',
      withAttributes(call, { 'rpc.service': 'a' }),
      'rpc.service is not an attribute of gRPC server',
    ],
    ['a name of another kind', { ...call, name: 'GetModel' }, 'the name is not'],
    [
      'a value of another type',
      withAttributes(span({}), { 'millrace.window.number': '3' }),
      'not of type int',
    ],
    [
      'a value that the convention does not list',
      withAttributes(processed, { 'messaging.operation.type': 'publish' }),
      'none of process',
    ],
    ['a span that nobody described', span({ name: 'ponder' }), 'neither a convention nor the schema'],
    [
      "a span of ours in another service's name",
      span({ service: 'ingest' }),
      'neither a convention nor the schema',
    ],
    [
      'a kind that the convention does not have',
      { ...call, kind: 'internal' },
      'neither a convention nor the schema',
    ],
    ['a consumer without a link', { ...processed, links: [] }, 'no link to the producer'],
    ['a failure without its type', { ...call, error: 'it broke' }, 'error.type is missing'],
    [
      'a type of error without a failure',
      withAttributes(call, { 'error.type': 'NOT_FOUND' }),
      'did not fail',
    ],
    [
      'a text for a value',
      withAttributes(span({}), { 'millrace.endpoint.name': 'x'.repeat(600) }),
      'longer than 512',
    ],
  ])('finds %s', (_, record, problem) => {
    expect(spanProblems(record as SpanRecord)).toEqual([expect.stringContaining(problem)]);
  });
});

describe('the tables', () => {
  /** Names that the package marks as deprecated, in its type declarations. */
  const deprecated = (): ReadonlySet<string> => {
    const names = new Set<string>();
    for (const file of ['stable_attributes', 'experimental_attributes']) {
      const main = fileURLToPath(import.meta.resolve('@opentelemetry/semantic-conventions'));
      const text = readFileSync(main.replace(/index\.mjs$/, `${file}.d.mts`), 'utf8');
      for (const [, comment = '', name = ''] of text.matchAll(
        /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*declare const ATTR_\w+: "([^"]+)"/g,
      )) {
        if (comment.includes('@deprecated')) names.add(name);
      }
    }
    return names;
  };

  const conventional = spanConventions.flatMap(({ marker, required, optional }) => [
    marker,
    ...required,
    ...optional,
  ]);

  it('hold only names of the semantic conventions, none of them deprecated', () => {
    const known = new Set([stable, incubating].flatMap((names: object) => Object.values(names)));
    const old = deprecated();
    // Else the declarations are no longer read as they are written.
    expect(old).toContain('messaging.system');
    for (const name of conventional) {
      expect(known, name).toContain(name);
      expect(old, name).not.toContain(name);
    }
  });

  it('describe each attribute that a span of ours has, and no others', () => {
    const used = new Set<string>([
      ...ownSpans.flatMap(({ required, optional = [] }) => [...required, ...optional]),
      // On messages, beside those of the convention.
      'millrace.message.type',
      'millrace.message.delivery',
    ]);
    expect([...used].sort()).toEqual(Object.keys(ownAttributes).sort());
  });
});

describe('docs/telemetry/traces.md', () => {
  const page = fileURLToPath(new URL('../../../../docs/telemetry/traces.md', import.meta.url));

  it('says what the schema does: renew it with `npx vitest run libs/telemetry/src/schema -u`', async () => {
    await expect(schemaPage()).toMatchFileSnapshot(page);
  });
});
