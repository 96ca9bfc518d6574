import { count } from '@millrace/telemetry';

/** Events that came again and were dropped, because the consumer had handled them. */
export const countDuplicates = (consumer: string, events: number): void =>
  count('millrace_bus_events_duplicate_total', { consumer }, events);

/** Events that never came; so many were fetched from their owner. */
export const countRefilled = (consumer: string, events: number): void => {
  count('millrace_bus_gaps_total', { consumer });
  count('millrace_bus_events_refilled_total', { consumer }, events);
};

/** Events that never came and that their owner no longer has. */
export const countSkipped = (consumer: string, events: number): void =>
  count('millrace_bus_events_skipped_total', { consumer }, events);

/** A delivery, of a message that may have been delivered before. */
export const countDelivery = (consumer: string, deliveryCount: number): void => {
  if (deliveryCount > 1) count('millrace_bus_redeliveries_total', { consumer });
};

export const countDeadLetter = (consumer: string): void =>
  count('millrace_bus_dead_letters_total', { consumer });
