import { randomBytes } from 'node:crypto';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { Conflict, Internal, Unavailable } from '@millrace/errors';
import { type PreparedWrite, WRITES_KEPT, type WriteOutcome, writeChains } from './chain-writer.ts';
import {
  type Answer,
  type Chain,
  type CommitRequest,
  giveAnswer,
  type OpenRequest,
  placeOf,
} from './commit-request.ts';
import { backoffMs, type Connection } from './connection.ts';
import { decideAll } from './decisions.ts';
import { type FoundDocument, readDocuments } from './document-reader.ts';
import type { MongoInbox } from './inbox.ts';
import { fromMongo, isTransient } from './mongo-error.ts';

/** Bounds how long the requests behind a group wait for it. */
const LARGEST_GROUP = 512;
/** Requests that may wait while MongoDB is slow or away. */
const LONGEST_QUEUE = 10_000;
/** How often others may be faster before a request gives up. */
const MAX_LOSSES = 100;

export interface GroupCommitOptions {
  readonly connection: Connection;
  readonly inbox: MongoInbox;
  readonly now: () => Date;
  /** Called after commits that added messages, before their requests are answered. */
  readonly onMessages: () => void;
}

/** A write without an answer, and what its requests are to be told if it took place. */
interface Attempt {
  readonly id: string;
  readonly chain: Chain;
}

/** By place. */
type Attempts = Map<string, Attempt[]>;

interface Round {
  readonly open: readonly OpenRequest[];
  /** Why some of them got no answer. */
  readonly failure?: unknown;
}

/**
 * Carries out all commits requested meanwhile in rounds of few calls: read the documents, decide in memory, take
 * positions for the messages, write each changed document once over the version that was read. Commits to one
 * document share its write; each document's write stands for itself. Whatever lost against another process goes
 * into the next round. A write that got no answer left its id in the document if it took place.
 */
export class GroupCommit {
  readonly #connection: Connection;
  readonly #inbox: MongoInbox;
  readonly #now: () => Date;
  readonly #onMessages: () => void;
  readonly #idPrefix = randomBytes(6).toString('base64url');
  #lastId = 0;
  #queue: OpenRequest[] = [];
  #running: Promise<void> | undefined;
  #closed = false;

  constructor({ connection, inbox, now, onMessages }: GroupCommitOptions) {
    this.#connection = connection;
    this.#inbox = inbox;
    this.#now = now;
    this.#onMessages = onMessages;
  }

  /** Rejects with what the decision throws, or with the failure of the write. */
  run(request: CommitRequest): Promise<unknown> {
    if (this.#closed) return Promise.reject(new Unavailable('store: it is closed'));
    if (this.#queue.length >= LONGEST_QUEUE) {
      return Promise.reject(
        new Unavailable(`store: ${LONGEST_QUEUE} commits are waiting`, { hint: 'Try again later.' }),
      );
    }
    return new Promise((resolve, reject) => {
      const deadline = performance.now() + this.#connection.patienceMs;
      this.#queue.push({
        ...request,
        resolve,
        reject,
        deadline,
        losses: 0,
        alone: false,
        refusal: undefined,
      });
      this.#running ??= this.#drain();
    });
  }

  /** Takes no more requests and resolves when those taken are answered. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      await nextTurn();
      await this.#commitGroup(this.#queue.splice(0, LARGEST_GROUP));
    }
    this.#running = undefined;
  }

  async #commitGroup(group: readonly OpenRequest[]): Promise<void> {
    const attempts: Attempts = new Map();
    let open = await readyOnes(group);
    for (let failures = 0; open.length > 0; ) {
      const round = await this.#round(open, attempts).catch((failure: unknown): Round => ({ open, failure }));
      ({ open } = round);
      if (round.failure === undefined) {
        failures = 0;
        open = await givingUp(open);
        continue;
      }
      open = stillPatient(open, round.failure);
      if (open.length > 0) await delay(backoffMs(failures));
      failures += 1;
    }
  }

  async #round(requests: readonly OpenRequest[], attempts: Attempts): Promise<Round> {
    const found = await this.#read(requests);
    const rest = this.#answerAttempts(requests, attempts, found);
    const handled = rest.flatMap((request) => request.handled ?? []);
    const positions = handled.length === 0 ? new Map<string, number>() : await this.#inbox.positions(handled);
    const { chains, deferred } = decideAll(rest, found, positions);
    const changed = chains.filter(({ base, state }) => state !== base);
    const writes = await this.#prepare(changed);
    const outcomes = await this.#connection.once((tables) => writeChains(tables, writes));
    for (const { chain, id } of writes) {
      if (outcomes.get(chain)?.status !== 'unknown') continue;
      const place = placeOf(chain);
      attempts.set(place, [...(attempts.get(place) ?? []), { id, chain }]);
    }
    return this.#answer(chains, outcomes, deferred);
  }

  async #read(requests: readonly OpenRequest[]): Promise<ReadonlyMap<string, FoundDocument>> {
    const byCollection = Map.groupBy(requests, ({ collection }) => collection);
    const found = await this.#connection.once((tables) =>
      Promise.all(
        [...byCollection].map(([collection, group]) =>
          readDocuments(tables, collection, [...new Set(group.map(({ key }) => key))]),
        ),
      ),
    );
    const documents = found.flatMap((documents) => [...documents.values()]);
    return new Map(documents.map((document) => [placeOf(document.state), document]));
  }

  /** Answers those whose earlier write took place although no answer came; returns the others. */
  #answerAttempts(
    requests: readonly OpenRequest[],
    attempts: Attempts,
    found: ReadonlyMap<string, FoundDocument>,
  ): readonly OpenRequest[] {
    const answered = new Set<OpenRequest>();
    for (const [place, tried] of attempts) {
      const document = found.get(place);
      const { chain, tookPlace } = fateOf(tried, document);
      if (chain === undefined) continue;
      attempts.delete(place);
      if (tookPlace) this.#afterWrites([chain]);
      for (const answer of chain.answers) {
        answered.add(answer.request);
        if (tookPlace) giveAnswer(answer);
        else answer.request.reject(unknownFate(place));
      }
    }
    return requests.filter((request) => !answered.has(request));
  }

  /**
   * Takes the positions after the documents were read, so that a document's messages ascend: whoever committed
   * the version that was read took his before.
   */
  async #prepare(chains: readonly Chain[]): Promise<readonly PreparedWrite[]> {
    const count = chains.reduce((sum, { state }) => sum + state.messages.length, 0);
    let next = count === 0 ? 0 : await this.#takePositions(count);
    const time = this.#now().toISOString();
    return chains.map((chain) => {
      const firstPosition = next;
      next += chain.state.messages.length;
      this.#lastId += 1;
      return { chain, id: `${this.#idPrefix}.${this.#lastId}`, firstPosition, time };
    });
  }

  async #takePositions(count: number): Promise<number> {
    const counter = await this.#connection.once(({ meta }) =>
      meta.findOneAndUpdate({ _id: 'positions' }, { $inc: { value: count } }, { returnDocument: 'after' }),
    );
    if (counter?.value === undefined) throw new Internal('store: its counter of positions is missing');
    return counter.value - count + 1;
  }

  async #answer(
    chains: readonly Chain[],
    outcomes: ReadonlyMap<Chain, WriteOutcome>,
    deferred: readonly OpenRequest[],
  ): Promise<Round> {
    const open: OpenRequest[] = [];
    let failure: unknown;
    const done: Chain[] = [];
    for (const chain of chains) {
      const outcome = outcomes.get(chain);
      if (outcome === undefined || outcome.status === 'written') done.push(chain);
      else open.push(...openAgain(chain, outcome));
      if (outcome?.status === 'unknown') failure = outcome.error;
    }
    this.#afterWrites(done.filter((chain) => outcomes.has(chain)));
    const answers = done.flatMap((chain) => chain.answers);
    const advancing = answers.filter(({ advance }) => advance !== undefined);
    for (const answer of answers) if (answer.advance === undefined) giveAnswer(answer);
    open.push(...deferred);
    if (advancing.length > 0) {
      try {
        await this.#inbox.advanceAll(advancing.flatMap(({ advance }) => advance ?? []));
        advancing.forEach(giveAnswer);
      } catch (thrown) {
        failRequests(advancing, thrown);
      }
    }
    return failure === undefined ? { open } : { open, failure };
  }

  #afterWrites(chains: readonly Chain[]): void {
    this.#inbox.settleSoon(
      chains.flatMap(({ collection, key, state }) =>
        state.handled.map((position) => ({ collection, key, position })),
      ),
    );
    if (chains.some(({ state }) => state.messages.length > 0)) this.#onMessages();
  }
}

/** The attempt whose fate is known, or can no longer be known; none when all may be tried again. */
const fateOf = (
  tried: readonly Attempt[],
  document: FoundDocument | undefined,
): { readonly chain?: Chain; readonly tookPlace?: boolean } => {
  if (document === undefined) return {};
  const succeeded = tried.find(({ id }) => document.writes.includes(id));
  if (succeeded !== undefined) return { chain: succeeded.chain, tookPlace: true };
  const forgotten = tried.find(({ chain }) => document.revision > chain.baseRevision + WRITES_KEPT);
  return forgotten === undefined ? {} : { chain: forgotten.chain, tookPlace: false };
};

const unknownFate = (place: string): Unavailable =>
  new Unavailable(`store: MongoDB did not answer, and whether ${place} was committed is not known`, {
    hint: 'Read it again, then decide.',
  });

/** Refuses those whose collection cannot be made ready; returns the others. */
const readyOnes = async (requests: readonly OpenRequest[]): Promise<readonly OpenRequest[]> => {
  const preparations = await Promise.allSettled(requests.map(({ prepare }) => prepare()));
  return requests.filter((request, index) => {
    const preparation = preparations[index];
    if (preparation?.status !== 'rejected') return true;
    request.reject(preparation.reason);
    return false;
  });
};

const failRequests = (answers: readonly Answer[], reason: unknown): void => {
  for (const { request } of answers) request.reject(reason);
};

/** The requests of a chain that was not written, prepared for the next round. */
const openAgain = (chain: Chain, outcome: WriteOutcome): readonly OpenRequest[] => {
  const requests = chain.answers.map(({ request }) => request);
  for (const request of requests) {
    if (outcome.status === 'lost') request.losses += 1;
    if (outcome.status !== 'refused') continue;
    // A value may be taken only because the version was another: the next round knows by the version.
    if (requests.length === 1) request.refusal = { version: chain.base.version, error: outcome.error };
    request.alone = true;
  }
  return requests;
};

/** Refuses those that lost too often; the others wait a moment if they lost. */
const givingUp = async (requests: readonly OpenRequest[]): Promise<readonly OpenRequest[]> => {
  const open = requests.filter((request) => {
    if (request.losses <= MAX_LOSSES) return true;
    request.reject(
      new Conflict(`${placeOf(request)} was changed by others ${MAX_LOSSES} times meanwhile`, {
        hint: 'Let fewer processes change one document.',
      }),
    );
    return false;
  });
  const losses = Math.max(0, ...open.map((request) => request.losses));
  if (losses > 0) await delay(backoffMs(Math.min(losses, 4) - 2));
  return open;
};

/** Refuses what cannot succeed later, and those whose time is over; returns the others. */
const stillPatient = (requests: readonly OpenRequest[], failure: unknown): readonly OpenRequest[] => {
  const now = performance.now();
  return requests.filter((request) => {
    if (isTransient(failure) && now < request.deadline) return true;
    request.reject(fromMongo(failure));
    return false;
  });
};
