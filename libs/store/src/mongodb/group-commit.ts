import { randomBytes } from 'node:crypto';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { crashPoint } from '@millrace/crash-points';
import { Internal, Unavailable } from '@millrace/errors';
import { measuredCommit, measureGroup } from '../commit-metrics.ts';
import { Attempts } from './attempts.ts';
import { type PreparedWrite, type WriteOutcome, writeChains } from './chain-writer.ts';
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
import { givingUp, openAgain, readyOnes, stillPatient } from './open-requests.ts';

/** Bounds how long the requests behind a group wait for it. */
const LARGEST_GROUP = 512;
/** Requests that may wait while MongoDB is slow or away. */
const LONGEST_QUEUE = 10_000;

export interface GroupCommitOptions {
  /** The service that owns the store. */
  readonly service: string;
  readonly connection: Connection;
  readonly inbox: MongoInbox;
  readonly now: () => Date;
  /** Called after commits that added messages, before their requests are answered. */
  readonly onMessages: () => void;
}

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
  readonly #service: string;
  readonly #connection: Connection;
  readonly #inbox: MongoInbox;
  readonly #now: () => Date;
  readonly #onMessages: () => void;
  readonly #idPrefix = randomBytes(6).toString('base64url');
  #lastId = 0;
  #queue: OpenRequest[] = [];
  #running: Promise<void> | undefined;
  #closed = false;

  constructor({ service, connection, inbox, now, onMessages }: GroupCommitOptions) {
    this.#service = service;
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
    return measuredCommit(this.#service, () => this.#recording(request));
  }

  async #recording(request: CommitRequest): Promise<unknown> {
    const result = await this.#enqueue(request);
    if (request.handled !== undefined) this.#inbox.committed(request.handled);
    return result;
  }

  #enqueue(request: CommitRequest): Promise<unknown> {
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
      const group = this.#queue.splice(0, LARGEST_GROUP);
      measureGroup(this.#service, group.length);
      await this.#commitGroup(group);
    }
    this.#running = undefined;
  }

  async #commitGroup(group: readonly OpenRequest[]): Promise<void> {
    const attempts = new Attempts();
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
    const rest = attempts.resolve(requests, found, (chain) => this.#afterWrites([chain]));
    const handled = rest.flatMap((request) => request.handled ?? []);
    const positions = handled.length === 0 ? new Map<string, number>() : await this.#inbox.positions(handled);
    const { chains, deferred } = decideAll(rest, found, positions);
    const changed = chains.filter(({ base, state }) => state !== base);
    const writes = await this.#prepare(changed);
    const outcomes = await this.#write(writes, attempts);
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

  async #write(
    writes: readonly PreparedWrite[],
    attempts: Attempts,
  ): Promise<ReadonlyMap<Chain, WriteOutcome>> {
    attempts.note(writes);
    crashPoint('before-commit');
    const outcomes = await this.#connection.once((tables) => writeChains(tables, writes));
    crashPoint('after-commit');
    attempts.settle(outcomes);
    return outcomes;
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
    open.push(...deferred);
    await this.#give(done.flatMap((chain) => chain.answers));
    return failure === undefined ? { open } : { open, failure };
  }

  /** Gives the answers; those that record a position without a document, when it is recorded. */
  async #give(answers: readonly Answer[]): Promise<void> {
    const [ready, advancing] = [
      answers.filter(({ advance }) => advance === undefined),
      answers.filter(({ advance }) => advance !== undefined),
    ];
    ready.forEach(giveAnswer);
    try {
      await this.#inbox.advanceAll(advancing.flatMap(({ advance }) => advance ?? []));
      advancing.forEach(giveAnswer);
    } catch (thrown) {
      for (const { request } of advancing) request.reject(thrown);
    }
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
