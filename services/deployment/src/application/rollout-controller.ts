import { messageOf, NotFound } from '@millrace/errors';
import { observeMetric } from '@millrace/telemetry';
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
  /** Answers since the last tick, by endpoint and revision; an endpoint that was only asked has none. */
  #fresh = new Map<string, Map<number, number>>();
  #unobserve = () => {};
  #timer: NodeJS.Timeout | undefined;
  #ticking: Promise<void> | undefined;

  constructor(context: DeploymentContext) {
    this.#context = context;
  }

  /**
   * Counts a request. Called for every one: must stay cheap.
   *
   * @param served whether the caller got the revision's answer: not for errors and copies to a shadow
   */
  answered(endpoint: string, revision: number, served: boolean): void {
    const counts = this.#fresh.get(endpoint) ?? new Map<number, number>();
    this.#fresh.set(endpoint, counts);
    if (served) counts.set(revision, (counts.get(revision) ?? 0) + 1);
  }

  /** Routes all endpoints, takes up rollouts that a crash interrupted, and begins to watch. */
  async start(): Promise<void> {
    const actor = { name: 'service:deployment', reason: 'taken up after a restart' };
    for await (const { document } of this.#context.endpoints.scan()) {
      const { name, rollout } = document;
      await this.#guarded(name, async () => {
        await routeTraffic(this.#context, name);
        await activateCandidate(this.#context, name, rollout?.candidateRevision ?? 0, actor);
      });
    }
    this.#unobserve = observeMetric('millrace_endpoint_traffic_ratio', () =>
      this.#context.table.trafficShares(),
    );
    this.#timer = setInterval(() => {
      this.#ticking ??= this.#tick().finally(() => {
        this.#ticking = undefined;
      });
    }, tickMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#unobserve();
    await this.#ticking;
    await this.#tick();
  }

  async #tick(): Promise<void> {
    const fresh = this.#fresh;
    this.#fresh = new Map();
    for (const [endpoint, counts] of fresh) {
      await this.#guarded(endpoint, async () => {
        await this.#noteAnswers(endpoint, counts);
        await judgeCandidate(this.#context, endpoint);
      });
    }
  }

  /** One endpoint's trouble must not keep the others unwatched. */
  async #guarded(endpoint: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      // Deleted in the same moment.
      if (thrown instanceof NotFound) return;
      const { log } = this.#context;
      log.error({ err: thrown, endpoint }, `an endpoint could not be watched: ${messageOf(thrown)}`);
    }
  }

  async #noteAnswers(name: string, answers: ReadonlyMap<number, number>): Promise<void> {
    if (answers.size === 0) return;
    const { endpoints, counts, now } = this.#context;
    await endpoints.update(name, (current) => {
      if (current === undefined) throw new NotFound(`there is no endpoint ${name}`);
      const changed = served(current.document, new Set(answers.keys()), now());
      return changed === undefined ? undefined : { document: changed };
    });
    await counts.update(name, (current) => {
      const byRevision = { ...current?.document.byRevision };
      for (const [revision, count] of answers) byRevision[revision] = (byRevision[revision] ?? 0) + count;
      return { document: { byRevision } };
    });
  }
}
