import { spanConventions } from './conventions.ts';
import { type AttributeDefinition, ownAttributes } from './own-attributes.ts';
import { ownSpans } from './own-spans.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|');

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ');

const conventions = (): string =>
  table(
    ['spans', 'kind', 'name', 'always', 'where known'],
    spanConventions.map(({ id, page, kind, naming, required, optional }) => [
      `[${id}](https://opentelemetry.io/docs/specs/semconv/${page})`,
      kind,
      naming,
      code(required),
      code(optional),
    ]),
  );

const spans = (): string =>
  table(
    ['name', 'service', 'what it is', 'attributes', 'links to'],
    ownSpans.map(({ name, service, meaning, required, optional = [], links = '' }) => [
      `\`${name}\``,
      service === '*' ? 'each owner of a step' : service,
      meaning,
      [code(required), optional.length === 0 ? '' : `where known: ${code(optional)}`]
        .filter((part) => part !== '')
        .join('; '),
      links,
    ]),
  );

const attributes = (): string =>
  table(
    ['attribute', 'type', 'what it is', 'example'],
    Object.entries<AttributeDefinition>(ownAttributes).map(([name, { type, meaning, values, example }]) => [
      `\`${name}\``,
      type,
      values === undefined ? meaning : `${meaning}: ${code(values)}`,
      `\`${example}\``,
    ]),
  );

/** The published page of the schema, `docs/telemetry/traces.md`. */
export const schemaPage = (): string => `# Spans and their attributes

Made from \`libs/telemetry/src/schema\`; a test holds the spans of a whole lifecycle to it.

## Spans of OpenTelemetry's conventions

${conventions()}

Status is \`error\`, with \`error.type\`, exactly where the convention says so: a gRPC server's answer \`NOT_FOUND\` and an
HTTP server's 404 are the caller's mistakes and no errors of the server. Elsewhere \`error.type\` is the code of our error
taxonomy. A consumer's span is the child of the producer's, so that one trace follows a run, and links to it as well. A
batch of predictions is published by a span that links to the predictions' own.

## Our own spans

All of kind \`internal\`.

${spans()}

## Our own attributes

A name keeps its meaning. Values are ids, names, counts and states; never data, features, predictions, credentials, or
texts that a person wrote. The description of a span's status is the message of the error.

${attributes()}
`;
