/** Writes the catalogue of events: an AsyncAPI 3 document, a JSON Schema per event, and a page to read. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonSchema } from './contract-schemas.ts';

/** An event as the contracts define it. */
export interface CataloguedEvent {
  /** `millrace.registry.alias.moved.v1` */
  readonly type: string;
  /** Full name of its message. */
  readonly message: string;
  readonly service: string;
  readonly description: string;
}

/** Schemas by full message name; references are written by `refTo`. */
type SchemasWithRefs = (refTo: (name: string) => string) => Readonly<Record<string, JsonSchema>>;

/** CloudEvents attributes and extensions that every event carries in its NATS headers. */
const headers: JsonSchema = {
  type: 'object',
  required: ['ce-id', 'ce-source', 'ce-specversion', 'ce-type', 'ce-subject', 'ce-time', 'ce-sequence'],
  properties: {
    'ce-id': { type: 'string', description: 'Identity of the event; equal in every delivery of it.' },
    'ce-source': { type: 'string', description: '`/millrace/<service>` that published it.' },
    'ce-specversion': { const: '1.0' },
    'ce-type': { type: 'string' },
    'ce-subject': { type: 'string', description: "The entity's key." },
    'ce-time': { type: 'string', format: 'date-time' },
    'ce-sequence': { type: 'string', description: "Position among the entity's events, from 1." },
    'ce-millraceentity': {
      type: 'string',
      description: 'The entity across services: `registry.alias/flights`.',
    },
    'content-type': { const: 'application/json' },
    'Nats-Msg-Id': { type: 'string', description: 'Equal to `ce-id`: the broker drops repeats.' },
    traceparent: { type: 'string', description: 'W3C trace context of the cause.' },
  },
};

/** Writes everything below `directory`, replacing what was there. */
export const writeEventCatalogue = (
  directory: string,
  events: readonly CataloguedEvent[],
  schemas: SchemasWithRefs,
): void => {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(join(directory, 'schemas'), { recursive: true });
  const sorted = [...events].sort((a, b) => (a.type < b.type ? -1 : 1));
  writeJson(join(directory, 'asyncapi.json'), asyncApi(sorted, schemas));
  const local = schemas((name) => `#/$defs/${name}`);
  for (const event of sorted) {
    writeJson(join(directory, 'schemas', `${event.type}.json`), schemaDocument(event, local));
  }
  writeFileSync(join(directory, 'README.md'), page(sorted, local));
};

const writeJson = (file: string, value: unknown): void =>
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);

const subjectOf = (type: string): string => type.replace(/^millrace\./, 'millrace.evt.');

/** Names of the messages that a schema refers to, directly and through others. */
const reachable = (
  start: string,
  schemas: Readonly<Record<string, JsonSchema>>,
  prefix: string,
): ReadonlySet<string> => {
  const found = new Set<string>();
  const open = [start];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const text = JSON.stringify(schemas[name] ?? {});
    for (const [, next = ''] of text.matchAll(new RegExp(`"\\$ref":"${prefix}([^"]+)"`, 'g'))) {
      if (!found.has(next)) open.push(next);
      found.add(next);
    }
  }
  return found;
};

const pick = (schemas: Readonly<Record<string, JsonSchema>>, names: Iterable<string>) =>
  Object.fromEntries([...names].sort().map((name) => [name, schemas[name]]));

const schemaDocument = (
  event: CataloguedEvent,
  schemas: Readonly<Record<string, JsonSchema>>,
): JsonSchema => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: `urn:millrace:event:${event.type}`,
  title: event.type,
  ...schemas[event.message],
  $defs: pick(schemas, reachable(event.message, schemas, '#/\\$defs/')),
});

const asyncApi = (events: readonly CataloguedEvent[], schemasWithRefs: SchemasWithRefs): JsonSchema => {
  const schemas = schemasWithRefs((name) => `#/components/schemas/${name}`);
  const used = new Set(
    events.flatMap(({ message }) => [message, ...reachable(message, schemas, '#/components/schemas/')]),
  );
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Millrace lifecycle events',
      version: '1.0.0',
      description:
        'Facts about models and what became of them, as CloudEvents 1.0 in binary mode on NATS JetStream (stream EVENTS). Within a version, payloads only gain optional fields.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    channels: Object.fromEntries(
      events.map(({ type }) => [
        type,
        { address: subjectOf(type), messages: { event: { $ref: `#/components/messages/${type}` } } },
      ]),
    ),
    operations: Object.fromEntries(
      events.map(({ type, service, description }) => [
        `publish.${type}`,
        {
          action: 'send',
          channel: { $ref: `#/channels/${type}` },
          summary: description,
          tags: [{ name: service }],
        },
      ]),
    ),
    components: {
      messages: Object.fromEntries(
        events.map(({ type, message, description }) => [
          type,
          {
            name: type,
            title: type,
            summary: description,
            contentType: 'application/json',
            headers: { $ref: '#/components/schemas/CloudEventHeaders' },
            payload: { $ref: `#/components/schemas/${message}` },
          },
        ]),
      ),
      schemas: { CloudEventHeaders: headers, ...pick(schemas, used) },
    },
  };
};

const page = (events: readonly CataloguedEvent[], schemas: Readonly<Record<string, JsonSchema>>): string => {
  const services = Map.groupBy(events, ({ service }) => service);
  const lines = [
    '<!-- Generated from proto/ by `npm run generate`. Do not edit. -->',
    '',
    '# Events',
    '',
    'Every fact about a model that other systems may want to know, on NATS JetStream (stream `EVENTS`). The subject is the type with',
    '`millrace.evt.` in place of the leading `millrace.`; headers are CloudEvents 1.0 in binary mode with `traceparent`; the body is JSON.',
    'Within a version, payloads only gain optional fields: ignore what you do not know. An event may be delivered twice, with the same',
    '`ce-id`. `ce-sequence` counts the events of one entity (`ce-millraceentity`) from 1 without gaps.',
    '',
    'For programs: [asyncapi.json](asyncapi.json) (AsyncAPI 3), [schemas/](schemas/) (a JSON Schema per event). To look on:',
    '',
    '```sh',
    "npx millrace events tail --since all --filter 'millrace.evt.registry.>'",
    "nats sub 'millrace.evt.>'",
    '```',
  ];
  for (const [service, own] of [...services].sort(([a], [b]) => (a < b ? -1 : 1))) {
    lines.push('', `## ${service}`);
    for (const event of own) lines.push(...eventSection(event, schemas));
  }
  return `${lines.join('\n')}\n`;
};

const eventSection = (
  event: CataloguedEvent,
  schemas: Readonly<Record<string, JsonSchema>>,
): readonly string[] => {
  const properties = Object.entries((schemas[event.message]?.properties ?? {}) as Record<string, JsonSchema>);
  return [
    '',
    `### \`${event.type}\``,
    '',
    event.description,
    '',
    '| field | type | |',
    '|---|---|---|',
    ...properties.map(
      ([name, schema]) => `| \`${name}\` | ${typeOf(schema)} | ${cell(schema.description)} |`,
    ),
  ];
};

const cell = (text: unknown): string => String(text ?? '').replaceAll('|', '\\|');

const typeOf = (schema: JsonSchema): string => {
  if (typeof schema.$ref === 'string') return `\`${schema.$ref.split('.').at(-1)}\``;
  if (schema.type === 'array') return `list of ${typeOf(schema.items as JsonSchema)}`;
  return String(schema.format ?? schema.type ?? 'any');
};
