import { isDigest } from '@millrace/blobs';
import type { DocumentState } from '@millrace/contracts/storage';

/** A document whose time is over, which lives on while something that is kept refers to it. */
export interface ExpiredDocument extends DocumentState {
  readonly service: string;
}

export const nameOf = ({ service, collection, key }: ExpiredDocument): string =>
  `${service}/${collection}/${key}`;

/** What a blob speaks of. */
export interface BlobMentions {
  /** It is needed with the blob: a file of a manifest. */
  readonly references: readonly string[];
  readonly hints: readonly string[];
}

/**
 * Finds what is in use: everything that documents refer to that have not expired, and what that refers to in turn.
 * Documents come in any order, blobs once somebody refers to them.
 */
export class Marking {
  readonly #reached = new Set<string>();
  /** Digests reached and by whom, where a blob must exist. */
  readonly #referredBy = new Map<string, string>();
  readonly #unread: string[] = [];
  readonly #expired = new Map<string, ExpiredDocument[]>();

  addDocument(service: string, document: DocumentState): void {
    const found: ExpiredDocument = { ...document, service };
    if (document.expired === '' || this.#reached.has(document.key)) {
      this.#reachAll(found, nameOf(found));
      return;
    }
    const sameKey = this.#expired.get(document.key) ?? [];
    this.#expired.set(document.key, [...sameKey, found]);
  }

  /** Something outside of all documents refers to it. */
  addRoot(mention: string, by: string): void {
    this.#reach(mention, by, false);
  }

  /** A document that had expired is in use after all. */
  keep(document: ExpiredDocument): void {
    this.addRoot(document.key, nameOf(document));
  }

  /** The next blob in use whose content was not looked at; `undefined` when there is none left. */
  nextBlob(): string | undefined {
    return this.#unread.pop();
  }

  addBlob(digest: string, { references, hints }: BlobMentions): void {
    for (const mention of references) this.#reach(mention, digest, false);
    for (const mention of hints) this.#reach(mention, digest, true);
  }

  isLive(mention: string): boolean {
    return this.#reached.has(mention);
  }

  /** Who needs a blob; `undefined` when it is only hinted at. */
  referrerOf(digest: string): string | undefined {
    return this.#referredBy.get(digest);
  }

  /** Documents that nothing in use refers to. */
  garbage(): readonly ExpiredDocument[] {
    return [...this.#expired.values()].flat();
  }

  #reachAll({ mentions, hints }: DocumentState, by: string): void {
    for (const mention of mentions) this.#reach(mention, by, false);
    for (const mention of hints) this.#reach(mention, by, true);
  }

  #reach(first: string, firstBy: string, firstIsHint: boolean): void {
    const queue = [{ mention: first, by: firstBy, isHint: firstIsHint }];
    for (let item = queue.pop(); item !== undefined; item = queue.pop()) {
      const { mention, by, isHint } = item;
      const isBlob = isDigest(mention);
      if (isBlob && !isHint && !this.#referredBy.has(mention)) this.#referredBy.set(mention, by);
      if (this.#reached.has(mention)) continue;
      this.#reached.add(mention);
      if (isBlob) this.#unread.push(mention);
      for (const document of this.#expired.get(mention) ?? []) {
        const name = nameOf(document);
        queue.push(...document.mentions.map((other) => ({ mention: other, by: name, isHint: false })));
        queue.push(...document.hints.map((other) => ({ mention: other, by: name, isHint: true })));
      }
      this.#expired.delete(mention);
    }
  }
}
