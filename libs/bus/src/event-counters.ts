import { metrics } from '@opentelemetry/api';

const counter = (name: string, description: string) => (consumer: string, count: number) => {
  // Not when the module is loaded: the meter must be there by then. The same name gives the same counter.
  if (count > 0)
    metrics
      .getMeter('@millrace/bus')
      .createCounter(name, { description, unit: '{event}' })
      .add(count, { consumer });
};

/** Events that came again and were dropped, because the consumer had handled them. */
export const countDuplicates = counter(
  'millrace.bus.events.duplicate',
  'Events that the consumer had handled already.',
);

/** Events that never came and were fetched from their owner. */
export const countRefilled = counter(
  'millrace.bus.events.refilled',
  'Events that did not come and were fetched from their owner.',
);
