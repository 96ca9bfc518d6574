import { messageOf } from '@millrace/errors';
import { served } from '../domain/decide.ts';
import type { DeploymentContext } from './context.ts';
import { activateCandidate } from './deploy.ts';
import { routeTraffic } from './route-traffic.ts';
import { judgeCandidate } from './steer-rollout.ts';

/** How often candidates are judged and counts are written. Milliseconds. */
const tickMs = 500;

/** Watches what revisions answer: notes the first answer, keeps the counts, judges candidates. */
export class RolloutController {
  readonly #context: DeploymentContext;
  readonly #fresh = new Map<string, Map<number, number>>();
  /** Revisions known to have answered, so that the first answer is noted once. */
  readonly #known = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #ticking: Promise<void> | undefined;

  constructor(context: DeploymentContext) {
    this.#context = context;
  }

  /** Counts an answer. Called for every request: must stay cheap. */
  answered(endpoint: string, revision: number): void {
    const counts = this.#fresh.get(endpoint) ?? new Map<number, number>();
    if (counts.size === 0) this.#fresh.set(endpoint, counts);
    counts.set(revision, (counts.get(revision) ?? 0) + 1);
  }

  /** Routes all endpoints, takes up rollouts that a crash interrupted, and begins to watch. */
  async start(): Promise<void> {
    const actor = { name: 'service:deployment', reason: 'taken up after a restart' };
    for await (const { document } of this.#context.endpoints.scan()) {
      await routeTraffic(this.#context, document);
      await activateCandidate(this.#context, document.name, actor).catch((thrown: unknown) =>
        this.#context.log.error(
          { err: thrown, endpoint: document.name },
          'an endpoint could not be taken up',
        ),
      );
    }
    this.#timer = setInterval(() => {
      this.#ticking ??= this.#tick().finally(() => {
        this.#ticking = undefined;
      });
    }, tickMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#ticking;
    await this.#writeCounts();
  }

  async #tick(): Promise<void> {
    const active = [...this.#fresh.keys()];
    try {
      await this.#writeCounts();
      for (const endpoint of active) await judgeCandidate(this.#context, endpoint);
    } catch (thrown) {
      this.#context.log.warn({ err: thrown }, `watching rollouts failed: ${messageOf(thrown)}`);
    }
  }

  async #writeCounts(): Promise<void> {
    for (const [endpoint, counts] of [...this.#fresh]) {
      this.#fresh.delete(endpoint);
      await this.#context.counts.update(endpoint, (current) => {
        const byRevision = { ...current?.document.byRevision };
        for (const [revision, count] of counts) byRevision[revision] = (byRevision[revision] ?? 0) + count;
        return { document: { byRevision } };
      });
      await this.#noteFirstAnswers(endpoint, new Set(counts.keys()));
    }
  }

  async #noteFirstAnswers(name: string, revisions: ReadonlySet<number>): Promise<void> {
    const news = [...revisions].filter((revision) => !this.#known.has(`${name}/${revision}`));
    if (news.length === 0) return;
    await this.#context.endpoints.update(name, (current) => {
      const changed = current && served(current.document, new Set(news), this.#context.now());
      return changed === undefined ? undefined : { document: changed };
    });
    for (const revision of news) this.#known.add(`${name}/${revision}`);
  }
}
