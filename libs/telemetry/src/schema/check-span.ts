import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import type { SpanRecord } from '../span-record.ts';
import { type SpanConvention, spanConventions } from './conventions.ts';
import { type AttributeDefinition, ownAttributes } from './own-attributes.ts';
import { type OwnSpan, ownSpans } from './own-spans.ts';

const own: Readonly<Record<string, AttributeDefinition | undefined>> = ownAttributes;

/** Longest value of an attribute, in characters: ids and names, not texts. */
const longestValue = 512;

/** The convention that a span follows, by its kind and the attribute that marks it. */
export const conventionOf = ({ kind, attributes }: SpanRecord): SpanConvention | undefined =>
  spanConventions.find((convention) => convention.kind === kind && convention.marker in attributes);

const patternOf = (name: string): RegExp =>
  new RegExp(`^${name.replace(/\{[a-z]+\}/g, '.+').replaceAll(' ', '\\s')}$`);

const patterns = ownSpans.map((span) => ({ span, pattern: patternOf(span.name) }));

/** Our own definition that a span of kind `internal` follows. A name that is written out goes before a pattern. */
export const ownSpanOf = ({ name, kind, service }: SpanRecord): OwnSpan | undefined => {
  if (kind !== 'internal') return undefined;
  const found = patterns.filter(
    ({ span, pattern }) => pattern.test(name) && (span.service === '*' || span.service === service),
  );
  return (found.find(({ span }) => span.name === name) ?? found[0])?.span;
};

const typeProblem = (value: unknown, { type, values }: AttributeDefinition): string | undefined => {
  const fits = type === 'int' ? Number.isInteger(value) : typeof value === type;
  if (!fits) return `is ${JSON.stringify(value)}, not of type ${type}`;
  if (values !== undefined && !values.includes(String(value))) return `is "${value}", none of ${values}`;
  return undefined;
};

/** Problems of the attributes whose names are ours, whatever span they stand on. */
const ownAttributeProblems = (attributes: SpanRecord['attributes']): readonly string[] =>
  Object.entries(attributes).flatMap(([name, value]) => {
    if (!name.startsWith('millrace.')) return [];
    const definition = own[name];
    if (definition === undefined) return [`${name} is not in the schema`];
    const problem = typeProblem(value, definition);
    return problem === undefined ? [] : [`${name} ${problem}`];
  });

const missing = (attributes: SpanRecord['attributes'], required: readonly string[]): readonly string[] =>
  required.filter((name) => attributes[name] === undefined).map((name) => `${name} is missing`);

const unexpected = (
  attributes: SpanRecord['attributes'],
  allowed: readonly string[],
  reason: string,
): readonly string[] =>
  Object.keys(attributes)
    .filter((name) => !allowed.includes(name))
    .map((name) => `${name} is not an attribute of ${reason}`);

const conventionProblems = (span: SpanRecord, convention: SpanConvention): readonly string[] => {
  const { id, required, optional, values = {}, nameOf, linked } = convention;
  const { attributes, name, parentSpanId, links } = span;
  const conventional = Object.fromEntries(
    Object.entries(attributes).filter(([key]) => !key.startsWith('millrace.')),
  );
  const expectedName = nameOf(attributes);
  return [
    ...missing(attributes, required),
    ...unexpected(conventional, [...required, ...optional], id),
    ...Object.entries(values)
      .filter(([key, allowed]) => !allowed.includes(String(attributes[key])))
      .map(([key, allowed]) => `${key} is "${attributes[key]}", none of ${allowed.join(', ')}`),
    ...(name === expectedName ? [] : [`the name is not "${expectedName}"`]),
    ...(linked === true && parentSpanId !== undefined && links.length === 0
      ? ['there is no link to the producer']
      : []),
  ];
};

const ownSpanProblems = ({ attributes }: SpanRecord, definition: OwnSpan): readonly string[] => [
  ...missing(attributes, definition.required),
  ...unexpected(
    attributes,
    [...definition.required, ...(definition.optional ?? []), ATTR_ERROR_TYPE],
    `"${definition.name}"`,
  ),
];

const kindProblems = (span: SpanRecord): readonly string[] => {
  const convention = conventionOf(span);
  if (convention !== undefined) return conventionProblems(span, convention);
  const definition = ownSpanOf(span);
  if (definition !== undefined) return ownSpanProblems(span, definition);
  return [`neither a convention nor the schema knows a span of ${span.service} of kind ${span.kind} like it`];
};

const errorProblems = ({ error, attributes }: SpanRecord): readonly string[] => {
  const type = attributes[ATTR_ERROR_TYPE];
  if (error !== undefined && type === undefined) return [`it failed, and ${ATTR_ERROR_TYPE} is missing`];
  if (error === undefined && type !== undefined)
    return [`${ATTR_ERROR_TYPE} is "${type}", and it did not fail`];
  return [];
};

const longValues = (attributes: SpanRecord['attributes']): readonly string[] =>
  Object.entries(attributes)
    .filter(([, value]) => String(value).length > longestValue)
    .map(([name]) => `${name} is longer than ${longestValue} characters`);

/**
 * In what a span departs from OpenTelemetry's semantic conventions and from our own schema; empty when it follows
 * them.
 */
export const spanProblems = (span: SpanRecord): readonly string[] => [
  ...kindProblems(span),
  ...ownAttributeProblems(span.attributes),
  ...errorProblems(span),
  ...longValues(span.attributes),
];
