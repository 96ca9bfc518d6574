import type { EventDefinition } from '@millrace/contracts';
import type { GraphChange } from './graph.ts';

/** What an event type says about the graph. */
export interface LineageRule {
  readonly definition: EventDefinition<unknown>;
  project(data: unknown): GraphChange;
}

export const lineageRule = <T>(
  definition: EventDefinition<T>,
  project: (data: T) => GraphChange,
): LineageRule => ({
  definition: definition as EventDefinition<unknown>,
  project: (data) => project(data as T),
});
