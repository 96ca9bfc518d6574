/** Who wants to know of commits with messages; one that throws is reported and keeps nobody else from knowing. */
export class CommitListeners {
  readonly #listeners = new Set<() => void>();
  readonly #onError: (thrown: unknown) => void;

  constructor(onError: (thrown: unknown) => void) {
    this.#onError = onError;
  }

  /** Returns how to stop it. A listener given twice is two listeners. */
  add(listener: () => void): () => void {
    const entry = (): void => listener();
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  announce(): void {
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch (thrown) {
        this.#onError(thrown);
      }
    }
  }
}
