import { type EventDefinition, entityId } from '@millrace/contracts';
import type { Json, NewMessage } from '@millrace/store';
import { activeTraceHeaders, type TraceHeaders } from '@millrace/telemetry';

/** An event to be committed with the change that it reports. The active trace travels with it. */
export const eventMessage = <T>(
  definition: EventDefinition<T>,
  key: string,
  data: T,
  headers: TraceHeaders = activeTraceHeaders(),
): NewMessage => ({
  subject: definition.subject,
  type: definition.type,
  entity: entityId(definition, key),
  key,
  data: definition.codec.toJSON(data) as Json,
  headers,
});
