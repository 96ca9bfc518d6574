import type { Event } from './port.ts';

/** The attributes of an event and its payload in proto JSON, however it was read. */
export type EventToShow = Pick<
  Event<unknown>,
  'id' | 'type' | 'key' | 'time' | 'entity' | 'sequence' | 'headers' | 'data'
>;

/** An event in the structured JSON form of CloudEvents 1.0, for readers that get no headers. */
export interface StructuredEvent {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  /** The entity's key. */
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  /** Extension "sequence": counts the events of `millraceentity`. */
  readonly sequence: string;
  readonly millraceentity: string;
  /** Extension "distributed tracing". */
  readonly traceparent?: string;
  readonly tracestate?: string;
  readonly data: unknown;
}

/** What webhooks and event streams send of an event. */
export const structuredEvent = (event: EventToShow): StructuredEvent => {
  const { traceparent, tracestate } = event.headers;
  return {
    specversion: '1.0',
    id: event.id,
    source: event.headers['ce-source'] ?? '/millrace',
    type: event.type,
    subject: event.key,
    time: event.time,
    datacontenttype: 'application/json',
    sequence: String(event.sequence),
    millraceentity: event.entity,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(tracestate === undefined ? {} : { tracestate }),
    data: event.data,
  };
};
