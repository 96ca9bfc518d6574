/** What a CloudEvent is made from: an event of the bus. */
export interface BusEvent {
  readonly id: string;
  readonly type: string;
  readonly key: string;
  readonly time: string;
  readonly entity: string;
  readonly sequence: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: unknown;
}

/**
 * An event in the structured JSON form of CloudEvents 1.0, as docs/events describes it: `sequence` counts the events of
 * `millraceentity`, `traceparent` and `tracestate` are those of the distributed tracing extension.
 */
export const cloudEventJson = (event: BusEvent): string => {
  const { traceparent, tracestate } = event.headers;
  return JSON.stringify({
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
  });
};
