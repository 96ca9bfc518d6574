import type { Collection, DocumentStore } from '@millrace/store';
import type { Experiments, PageQuery } from '../application/ports.ts';
import { type ExperimentDocument, experimentIdOf } from '../domain/run.ts';

/** Experiments in the service's store, one document per name. */
export class StoredExperiments implements Experiments {
  readonly #experiments: Collection<ExperimentDocument>;
  readonly #now: () => number;

  constructor(store: DocumentStore, now: () => number) {
    this.#experiments = store.collection({
      name: 'experiments',
      indexes: [{ path: 'name', type: 'text', unique: true }],
    });
    this.#now = now;
  }

  async ensure(name: string): Promise<ExperimentDocument> {
    const id = experimentIdOf(name);
    const made = { id, name, createdAt: new Date(this.#now()).toISOString() };
    const stored = await this.#experiments.update(id, (current) =>
      current === undefined ? { document: made } : undefined,
    );
    return stored?.document ?? made;
  }

  async list(page: PageQuery) {
    const { items, nextCursor } = await this.#experiments.find({
      ...page,
      sort: { field: 'name', direction: 'asc' },
    });
    const experiments = items.map(({ document }) => document);
    return nextCursor === undefined ? { items: experiments } : { items: experiments, nextCursor };
  }
}
