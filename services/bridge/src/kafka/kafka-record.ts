import type { RawEvent } from '@millrace/bus';

/** A record as it is given to Kafka. */
export interface KafkaRecord {
  readonly topic: string;
  /** The entity: all its events are in one partition, in order. */
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** The service that owns an entity: `registry.model_version/flights/3` → `registry` */
export const serviceOf = (entity: string): string => entity.slice(0, entity.indexOf('.'));

export const topicOf = (prefix: string, service: string): string => `${prefix}.${service}`;

/** How an attribute is called in Kafka; what is not listed, as the bus's own housekeeping, stays behind. */
const attributes = {
  'ce-specversion': 'ce_specversion',
  'ce-id': 'ce_id',
  'ce-type': 'ce_type',
  'ce-source': 'ce_source',
  'ce-subject': 'ce_subject',
  'ce-time': 'ce_time',
  'ce-sequence': 'ce_sequence',
  'ce-millraceentity': 'ce_millraceentity',
  'content-type': 'content-type',
} as const;

/** As headers of their own, where OpenTelemetry looks for them, and as the CloudEvents extension for tracing. */
const traceHeaders = ['traceparent', 'tracestate'] as const;

/**
 * The event in the binary mode of the CloudEvents Kafka protocol binding: attributes as `ce_` headers in UTF-8, the
 * payload as it came, the key by the partitioning extension (`ce_partitionkey`).
 */
export const kafkaRecord = (prefix: string, event: RawEvent): KafkaRecord => {
  const headers: Record<string, string> = {};
  for (const [from, to] of Object.entries(attributes)) {
    const value = event.headers[from];
    if (value !== undefined) headers[to] = value;
  }
  for (const name of traceHeaders) {
    const value = event.headers[name];
    if (value === undefined) continue;
    headers[name] = value;
    headers[`ce_${name}`] = value;
  }
  headers.ce_partitionkey = event.entity;
  return {
    topic: topicOf(prefix, serviceOf(event.entity)),
    key: event.entity,
    value: Buffer.from(event.body),
    headers,
  };
};

/** Why consumers could not read the body; `undefined` when they can. */
export const flawOf = ({ body }: Pick<RawEvent, 'body'>): string | undefined => {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? undefined
      : 'the body is not a JSON object';
  } catch {
    return 'the body is not JSON';
  }
};

/** Bytes that the record takes in a request, about. */
export const sizeOf = ({ key, value, headers }: KafkaRecord): number =>
  Object.entries(headers).reduce((sum, [name, text]) => sum + name.length + Buffer.byteLength(text) + 4, 0) +
  Buffer.byteLength(key) +
  value.length +
  16;
