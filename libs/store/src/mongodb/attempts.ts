import { Unavailable } from '@millrace/errors';
import { type PreparedWrite, WRITES_KEPT, type WriteOutcome } from './chain-writer.ts';
import { type Chain, giveAnswer, type OpenRequest, placeOf } from './commit-request.ts';
import type { FoundDocument } from './document-reader.ts';

type Attempt = Pick<PreparedWrite, 'id' | 'chain'>;

const unknownFate = (place: string): Unavailable =>
  new Unavailable(`store: MongoDB did not answer, and whether ${place} was committed is not known`, {
    hint: 'Read it again, then decide.',
  });

/** The attempt whose fate is known, or can no longer be known; none when all may be tried again. */
const fateOf = (
  attempts: readonly Attempt[],
  { writes, revision }: FoundDocument,
): { readonly chain: Chain; readonly tookPlace: boolean } | undefined => {
  const succeeded = attempts.find(({ id }) => writes.includes(id));
  if (succeeded !== undefined) return { chain: succeeded.chain, tookPlace: true };
  const forgotten = attempts.find(({ chain }) => revision > chain.baseRevision + WRITES_KEPT);
  return forgotten === undefined ? undefined : { chain: forgotten.chain, tookPlace: false };
};

/** The writes of a group that got no answer: whether they took place shows when their documents are read again. */
export class Attempts {
  readonly #byPlace = new Map<string, readonly Attempt[]>();

  /** Before the writes. */
  note(writes: readonly PreparedWrite[]): void {
    for (const { chain, id } of writes) {
      const place = placeOf(chain);
      this.#byPlace.set(place, [...(this.#byPlace.get(place) ?? []), { id, chain }]);
    }
  }

  /** After them: forgets those with an answer. */
  settle(outcomes: ReadonlyMap<Chain, WriteOutcome>): void {
    for (const [chain, { status }] of outcomes) {
      if (status === 'unknown') continue;
      const place = placeOf(chain);
      const others = this.#byPlace.get(place)?.filter((attempt) => attempt.chain !== chain) ?? [];
      this.#byPlace.set(place, others);
    }
  }

  /**
   * Answers the requests whose write took place, and those of which that cannot be known any more, because others
   * have written too often since. `onWritten` is called before. Returns the requests that are still open.
   */
  resolve(
    requests: readonly OpenRequest[],
    found: ReadonlyMap<string, FoundDocument>,
    onWritten: (chain: Chain) => void,
  ): readonly OpenRequest[] {
    const answered = new Set<OpenRequest>();
    for (const [place, attempts] of this.#byPlace) {
      const document = found.get(place);
      const fate = document && fateOf(attempts, document);
      if (fate === undefined) continue;
      this.#byPlace.delete(place);
      if (fate.tookPlace) onWritten(fate.chain);
      for (const answer of fate.chain.answers) {
        // Its position is to be recorded yet: it is decided again.
        if (answer.advance !== undefined) continue;
        answered.add(answer.request);
        if (fate.tookPlace) giveAnswer(answer);
        else answer.request.reject(unknownFate(place));
      }
    }
    return requests.filter((request) => !answered.has(request));
  }
}
