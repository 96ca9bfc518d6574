import type { Event, EventContext, Outcome, Subscription } from '@millrace/bus';
import { pipelineEvents, type RunCancelRequested } from '@millrace/contracts/pipeline';
import type { Collection, DocumentStore } from '@millrace/store';
import type { Cancellations } from './step-worker.ts';

/** Remembers which pipeline runs were given up, from the pipeline's events, across restarts of the worker. */
export class StoredCancellations implements Cancellations {
  readonly #cancelled: Collection<{ readonly at: string }>;
  readonly #watchers = new Map<string, Set<() => void>>();

  constructor(store: DocumentStore) {
    this.#cancelled = store.collection({ name: 'cancelled_runs' });
  }

  async isCancelled(pipelineRunId: string): Promise<boolean> {
    return (await this.#cancelled.get(pipelineRunId)) !== undefined;
  }

  watch(pipelineRunId: string, onCancel: () => void): () => void {
    const watchers = this.#watchers.get(pipelineRunId) ?? new Set();
    this.#watchers.set(pipelineRunId, watchers.add(onCancel));
    return () => {
      watchers.delete(onCancel);
      if (watchers.size === 0) this.#watchers.delete(pipelineRunId);
    };
  }

  /** What to subscribe so that cancellations are learnt. A resumed run is no longer cancelled. */
  subscriptions(): Subscription[] {
    const cancel = async (event: Event<RunCancelRequested>, context: EventContext): Promise<Outcome> => {
      const { handled } = context;
      await this.#cancelled.update(event.key, () => ({ document: { at: event.time } }), { handled });
      for (const onCancel of this.#watchers.get(event.key) ?? []) onCancel();
      return { kind: 'done' };
    };
    const resume = async (event: Event<unknown>, context: EventContext): Promise<Outcome> => {
      await this.#cancelled.update(
        event.key,
        (current) => (current === undefined ? undefined : { document: null }),
        { handled: context.handled },
      );
      return { kind: 'done' };
    };
    return [
      { definition: pipelineEvents.runCancelRequested, handle: cancel },
      { definition: pipelineEvents.runResumed, handle: resume },
    ];
  }
}
