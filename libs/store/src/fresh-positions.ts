import type { InboxPosition } from './port.ts';

/** Positions that are kept; each is taken soon after it was noted, unless a handler failed after its commit. */
const mostKept = 4_096;

/**
 * Positions that commits of this process have just recorded. Whoever handled the event then asks for its position to be
 * recorded, as handlers need not have done so, and is answered from here without a look at the database.
 */
export class FreshPositions {
  readonly #sequences = new Map<string, number>();

  /** Only after the commit: before it, nothing is recorded. */
  note({ consumer, entity, sequence }: InboxPosition): void {
    this.#sequences.set(nameOf(consumer, entity), sequence);
    if (this.#sequences.size <= mostKept) return;
    for (const oldest of this.#sequences.keys()) {
      this.#sequences.delete(oldest);
      return;
    }
  }

  /** Whether the position was noted, or a later one; forgets it. `false` says nothing. */
  take({ consumer, entity, sequence }: InboxPosition): boolean {
    const name = nameOf(consumer, entity);
    const noted = this.#sequences.get(name);
    if (noted === undefined) return false;
    this.#sequences.delete(name);
    return noted >= sequence;
  }
}

const nameOf = (consumer: string, entity: string): string => `${consumer}\n${entity}`;
