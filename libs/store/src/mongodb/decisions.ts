import type { Indexes } from '../indexes.ts';
import type { InboxPosition } from '../port.ts';
import { type Answer, type Chain, type OpenRequest, placeOf } from './commit-request.ts';
import type { FoundDocument } from './document-reader.ts';
import type { DocumentState } from './document-state.ts';
import { inboxId } from './layout.ts';

export interface Decisions {
  /** In the order of their first requests. */
  readonly chains: readonly Chain[];
  /** To be decided in the next round, on what this one leaves. */
  readonly deferred: readonly OpenRequest[];
}

const idOf = ({ consumer, entity }: InboxPosition): string => inboxId(consumer, entity);

/**
 * Whether the write of `after` would also show that a unique value of `before` is taken, both of one group. When
 * it would not, they must not share a write.
 */
const sharesUniqueValues = ({ fields }: Indexes, before: DocumentState, after: DocumentState): boolean =>
  fields.every(
    ({ unique }, index) =>
      !unique || (before.entries.fields[index] ?? null) === (after.entries.fields[index] ?? null),
  );

const decideOne = (request: OpenRequest, chain: Chain, positions: ReadonlyMap<string, number>): Answer => {
  const { handled, refusal } = request;
  if (refusal !== undefined && refusal.version === chain.state.version) {
    return { request, outcome: { reason: refusal.error } };
  }
  const known = handled === undefined ? 0 : positions.get(idOf(handled));
  const here = chain.state.handled.filter((item) => handled !== undefined && idOf(item) === idOf(handled));
  const position = Math.max(known ?? 0, ...here.map(({ sequence }) => sequence));
  try {
    const decided = request.decide(chain.state, handled !== undefined && position >= handled.sequence);
    chain.state = decided.state;
    const { result, advance } = decided;
    return { request, outcome: { result }, ...(advance === undefined ? {} : { advance }) };
  } catch (reason) {
    return { request, outcome: { reason } };
  }
};

/** Asks the requests in order; those about one document build on one another. */
export const decideAll = (
  requests: readonly OpenRequest[],
  found: ReadonlyMap<string, FoundDocument>,
  positions: ReadonlyMap<string, number>,
): Decisions => {
  const chains = new Map<string, Chain>();
  const deferred: OpenRequest[] = [];
  /** Those that take no more requests in this round. */
  const full = new Set<Chain>();
  /** Which document records a consumer's position in this round: another must see whether that goes well. */
  const handling = new Map<string, string>();
  const mustWait = (request: OpenRequest, place: string, answers: readonly Answer[]): boolean => {
    const elsewhere = request.handled && handling.get(idOf(request.handled));
    if (elsewhere !== undefined && elsewhere !== place) return true;
    return answers.length > 0 && (request.alone || answers.some((answer) => answer.request.alone));
  };
  for (const request of requests) {
    const place = placeOf(request);
    const document = found.get(place);
    if (document === undefined) throw new Error(`${place} was not read`);
    const { collection, key, indexes } = request;
    const chain = chains.get(place) ?? {
      collection,
      key,
      indexes,
      base: document.state,
      baseRevision: document.revision,
      baseWrites: document.writes,
      state: document.state,
      answers: [],
    };
    if (full.has(chain) || mustWait(request, place, chain.answers)) {
      deferred.push(request);
      continue;
    }
    chains.set(place, chain);
    if (request.handled !== undefined) handling.set(idOf(request.handled), place);
    const before = chain.state;
    const answer = decideOne(request, chain, positions);
    if (before !== chain.base && !sharesUniqueValues(indexes, before, chain.state)) {
      chain.state = before;
      full.add(chain);
      deferred.push(request);
      continue;
    }
    chain.answers.push(answer);
  }
  return { chains: [...chains.values()], deferred };
};
