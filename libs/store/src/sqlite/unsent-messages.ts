import type { OutboxMessage } from '../port.ts';

/** More unsent messages than this, or longer ones together, are left to the database. */
const most = { messages: 8_192, characters: 16 * 1024 * 1024 };

/**
 * Unsent messages in memory, so that the relay need not read back what this process has just written. They are either all
 * that there are or unknown: at the start, when another process has written to the store, and when they are too many.
 */
export class UnsentMessages {
  /** By position, ascending. */
  #known: Map<number, OutboxMessage> | undefined;
  #characters = 0;
  #staged: OutboxMessage[] = [];

  /** All that there are, in the order of their positions; `undefined` when unknown. */
  get known(): ReadonlyMap<number, OutboxMessage> | undefined {
    return this.#known;
  }

  /** These are all that there are now. */
  learn(messages: readonly OutboxMessage[]): void {
    this.#known = new Map();
    this.#characters = 0;
    this.#add(messages);
  }

  forget(): void {
    this.#known = undefined;
  }

  /** At the begin of a transaction: an earlier one that was rolled back left nothing. */
  begin(): void {
    this.#staged = [];
  }

  /** Added within the transaction. */
  stage(message: OutboxMessage): void {
    this.#staged.push(message);
  }

  /** The transaction is durable. Returns whether it added anything. */
  commit(): boolean {
    const added = this.#staged;
    this.#staged = [];
    this.#add(added);
    return added.length > 0;
  }

  /** They are marked sent, durably. */
  remove(positions: readonly number[]): void {
    for (const position of positions) {
      this.#characters -= this.#known?.get(position)?.json.length ?? 0;
      this.#known?.delete(position);
    }
  }

  #add(messages: readonly OutboxMessage[]): void {
    if (this.#known === undefined) return;
    for (const message of messages) {
      this.#known.set(message.position, message);
      this.#characters += message.json.length;
    }
    if (this.#known.size > most.messages || this.#characters > most.characters) this.forget();
  }
}
