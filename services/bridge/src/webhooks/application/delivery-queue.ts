import type { Filter, Stored } from '@millrace/store';
import { count } from '@millrace/telemetry';
import {
  type AttemptResult,
  claimed,
  heldBack,
  laneOf,
  placesOf,
  released,
  type StoredDelivery,
  timeOfPlace,
  waits,
} from '../domain/delivery.ts';
import { isDelivered, type StoredWebhook } from '../domain/webhook.ts';
import { attemptDelivery } from './attempt-delivery.ts';
import type { Dependencies } from './ports.ts';

/** How long to sleep at most: what another process queued is found after that. Milliseconds. */
const pollMs = 5_000;
/** How long a delivery that waits for an earlier one is left alone, unless that one is through before. */
const holdBackMs = 5 * 60_000;
/** Consecutive failures after which attempts are made one at a time, until one succeeds. */
const failuresUntilThrottled = 3;
/** The longest that a receiver which asks for time holds up all its deliveries. */
const longestPauseMs = 3_600_000;
const minutesPause = new Set([429, 503]);

const within = (field: string, range: string): Filter => ({ field, op: 'prefix', value: range });

/**
 * Makes the deliveries of one webhook as they become due, a few at a time, so that a receiver that hangs holds up none
 * but its own. All that waits is in the store; a delivery is claimed for longer than an attempt can take before it is
 * attempted, so that after a crash, or in another process, it is found again when the claim is over.
 */
export class DeliveryQueue {
  readonly #deps: Dependencies;
  readonly #webhookId: string;
  readonly #attempts = new Set<Promise<void>>();
  #wake: () => void = () => {};
  #woken = false;
  #stopped = false;
  #failures = 0;
  #pausedUntil = 0;
  /** Deliveries that wait, as far as this process knows; undefined until it was counted. */
  #waiting: number | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(deps: Dependencies, webhookId: string) {
    this.#deps = deps;
    this.#webhookId = webhookId;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Begins no more attempts and waits for those under way, which end within their time. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.wake();
    await this.#running;
    await Promise.all(this.#attempts);
  }

  /** Something may be due. */
  wake(): void {
    this.#woken = true;
    this.#wake();
  }

  /** A delivery was queued. */
  added(): void {
    if (this.#waiting !== undefined) this.#waiting += 1;
    this.wake();
  }

  async waiting(): Promise<number> {
    this.#waiting ??= await this.#deps.collections.deliveries.count(within('due', placesOf(this.#webhookId)));
    return this.#waiting;
  }

  /** Counts anew: others may have changed what waits. */
  recount(): void {
    this.#waiting = undefined;
  }

  async #run(): Promise<void> {
    let recovered = false;
    while (!this.#stopped) {
      let sleepMs = pollMs;
      this.#woken = false;
      try {
        if (!recovered) await this.#releaseAll();
        recovered = true;
        sleepMs = await this.#deliverDue();
      } catch (thrown) {
        this.#deps.log.warn({ err: thrown, webhook: this.#webhookId }, 'deliveries wait for the store');
      }
      if (sleepMs > 0) await this.#sleep(sleepMs);
    }
  }

  /** Begins what is due; resolves how long nothing else will be, unless woken, in milliseconds. */
  async #deliverDue(): Promise<number> {
    const { collections, now, rules } = this.#deps;
    const limit = this.#failures >= failuresUntilThrottled ? 1 : rules.concurrency;
    const free = limit - this.#attempts.size;
    const pause = this.#pausedUntil - now();
    if (pause > 0) return Math.min(pause, pollMs);
    // The end of an attempt wakes it.
    if (free <= 0) return pollMs;
    const webhook = (await collections.webhooks.get(this.#webhookId))?.document;
    if (webhook === undefined || !isDelivered(webhook)) return pollMs;
    const { items } = await collections.deliveries.find({
      filter: within('due', placesOf(this.#webhookId)),
      sort: { field: 'due', direction: 'asc' },
      limit: free,
    });
    let took = false;
    for (const item of items) {
      const inMs = timeOfPlace(item.document.due ?? '') - now();
      if (inMs > 0) return took ? 0 : Math.min(inMs, pollMs);
      await this.#take(webhook, item);
      took = true;
    }
    return took ? 0 : pollMs;
  }

  /** Claims a delivery and begins its attempt, or holds it back while an earlier one of its entity waits. */
  async #take(webhook: StoredWebhook, { key, version, document }: Stored<StoredDelivery>): Promise<void> {
    const { now, rules } = this.#deps;
    const earlier = webhook.unordered ? undefined : await this.#earlier(document);
    if (earlier !== undefined) {
      const until = Math.max(timeOfPlace(earlier.due ?? ''), now()) + holdBackMs;
      await this.#changeIf(key, version, (current) => heldBack(current, until));
      return;
    }
    // The look-up of the name comes before the time of the request itself; twice the time is surely enough.
    const claim = await this.#changeIf(key, version, (current) =>
      claimed(current, now() + 2 * rules.timeoutMs + 1_000),
    );
    if (claim === undefined) return;
    const attempt = this.#attempt(webhook, claim).finally(() => {
      this.#attempts.delete(attempt);
      this.wake();
    });
    this.#attempts.add(attempt);
  }

  async #attempt(webhook: StoredWebhook, claim: Stored<StoredDelivery>): Promise<void> {
    const { log } = this.#deps;
    const fields = { webhook: this.#webhookId, delivery: claim.key };
    try {
      const { result, after } = await attemptDelivery(this.#deps, webhook, claim);
      this.#learn(result);
      count('millrace_webhook_attempts_total', { outcome: result.error === '' ? 'accepted' : 'failed' });
      if (result.error !== '') log.info({ ...fields, error: result.error }, 'a delivery failed');
      if (after === undefined || waits(after)) return;
      if (this.#waiting !== undefined) this.#waiting -= 1;
      await this.#releaseNext(claim.document);
    } catch (thrown) {
      // Nothing was stored: it is made again when the claim is over.
      log.warn({ ...fields, err: thrown }, 'the result of a delivery could not be stored');
    }
  }

  #learn({ error, statusCode, retryAfterMs }: AttemptResult): void {
    this.#failures = error === '' ? 0 : this.#failures + 1;
    if (!minutesPause.has(statusCode)) return;
    this.#pausedUntil = this.#deps.now() + Math.min(retryAfterMs, longestPauseMs);
  }

  /** The first delivery that waits of those before it in its lane. */
  async #earlier({ lane, event }: StoredDelivery): Promise<StoredDelivery | undefined> {
    if (lane === undefined) return undefined;
    const { items } = await this.#deps.collections.deliveries.find({
      filter: {
        and: [
          { field: 'lane', op: 'gte', value: laneOf(this.#webhookId, event.entity) },
          { field: 'lane', op: 'lt', value: lane },
        ],
      },
      sort: { field: 'lane', direction: 'asc' },
      limit: 1,
    });
    return items[0]?.document;
  }

  /** Lets the one go on that waited for a delivery which is through. */
  async #releaseNext({ lane, event }: StoredDelivery): Promise<void> {
    if (lane === undefined) return;
    const { items } = await this.#deps.collections.deliveries.find({
      filter: within('lane', laneOf(this.#webhookId, event.entity)),
      sort: { field: 'lane', direction: 'asc' },
      limit: 1,
    });
    for (const { key } of items) await this.#release(key);
  }

  /** After a crash between a delivery's end and the release of the next. */
  async #releaseAll(): Promise<void> {
    for await (const { key, document } of this.#deps.collections.deliveries.scan(
      within('due', placesOf(this.#webhookId)),
    )) {
      if (document.heldBack === true) await this.#release(key);
    }
  }

  async #release(key: string): Promise<void> {
    const { collections, now } = this.#deps;
    await collections.deliveries.update(key, (current) => {
      const next = current === undefined ? undefined : released(current.document, now());
      return next === undefined ? undefined : { document: next };
    });
  }

  /** Resolves the delivery as changed, or undefined when somebody else changed it first. */
  async #changeIf(
    key: string,
    version: number,
    change: (current: StoredDelivery) => StoredDelivery,
  ): Promise<Stored<StoredDelivery> | undefined> {
    let applied = false;
    const stored = await this.#deps.collections.deliveries.update(key, (current) => {
      applied = current?.version === version;
      return current === undefined || !applied ? undefined : { document: change(current.document) };
    });
    return applied ? stored : undefined;
  }

  async #sleep(ms: number): Promise<void> {
    if (this.#woken || this.#stopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => {};
  }
}
