import type { Collection, CollectionDefinition, DocumentStore } from '@millrace/store';

/** The collections that a service has opened, by name. */
export type CollectionInventory = ReadonlyMap<string, Collection<object>>;

/** A store that remembers which collections were opened. */
export const inventoried = (
  store: DocumentStore,
): { readonly store: DocumentStore; readonly inventory: CollectionInventory } => {
  const inventory = new Map<string, Collection<object>>();
  return {
    inventory,
    store: {
      collection: <T extends object>(definition: CollectionDefinition): Collection<T> => {
        const collection = store.collection<T>(definition);
        inventory.set(definition.name, collection as unknown as Collection<object>);
        return collection;
      },
      outbox: store.outbox,
      inbox: store.inbox,
      migrate: (migrations) => store.migrate(migrations),
      ping: () => store.ping(),
      sizeBytes: () => store.sizeBytes(),
      close: () => store.close(),
    },
  };
};
