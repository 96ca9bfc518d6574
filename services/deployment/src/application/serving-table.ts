import { NotFound, Unavailable } from '@millrace/errors';
import type { Predictor } from '@millrace/modeling';
import type { SpanContext } from '@opentelemetry/api';
import type { TrafficShare } from '../domain/endpoint.ts';
import { RequestStats } from '../domain/request-stats.ts';
import { pointOf, revisionAt, shadowsAt } from '../domain/traffic.ts';
import { requestMeasure, trafficMeasurements } from './endpoint-metrics.ts';

/** A revision that can answer. */
export interface ServedRevision {
  readonly number: number;
  readonly model: string;
  readonly modelVersion: number;
  readonly predictor: Predictor;
  /** Span of what deployed it. */
  readonly deployedBy?: SpanContext;
  /** Since the endpoint's traffic last changed. */
  readonly stats: RequestStats;
}

interface Route {
  /** Version of the endpoint's document that the route was made from. */
  readonly version: number;
  readonly traffic: readonly TrafficShare[];
  readonly revisions: ReadonlyMap<number, ServedRevision>;
}

export interface Chosen {
  readonly revision: ServedRevision;
  readonly shadows: readonly ServedRevision[];
}

/** What the data plane serves now. An endpoint's route is replaced as a whole, so a request sees one or the other. */
export class ServingTable {
  readonly #routes = new Map<string, Route>();
  readonly #spread: () => number;

  /** @param spread places in [0, 1) for requests that name no unit, evenly spread: see `evenlySpread` */
  constructor(spread: () => number) {
    this.#spread = spread;
  }

  /** Replaces the route, unless the one it has was made from a newer document. */
  set(
    endpoint: string,
    version: number,
    traffic: readonly TrafficShare[],
    revisions: readonly Omit<ServedRevision, 'stats'>[],
  ): void {
    if ((this.#routes.get(endpoint)?.version ?? 0) > version) return;
    this.#routes.set(endpoint, {
      version,
      traffic,
      revisions: new Map(
        revisions.map((revision) => {
          const stats = new RequestStats(requestMeasure(endpoint, revision.number, traffic));
          return [revision.number, { ...revision, stats }];
        }),
      ),
    });
  }

  delete(endpoint: string): void {
    this.#routes.delete(endpoint);
  }

  names(): readonly string[] {
    return [...this.#routes.keys()];
  }

  /** Who gets which share of the traffic, as measurements. */
  trafficShares(): ReturnType<typeof trafficMeasurements> {
    return [...this.#routes].flatMap(([endpoint, { traffic }]) => trafficMeasurements(endpoint, traffic));
  }

  stats(endpoint: string, revision: number): RequestStats | undefined {
    return this.#routes.get(endpoint)?.revisions.get(revision)?.stats;
  }

  /**
   * The revision with the first share of the traffic, for questions about the endpoint itself.
   *
   * @throws NotFound when there is no such endpoint, Unavailable when nothing serves there
   */
  first(endpoint: string): ServedRevision {
    return this.#at(endpoint, 0).revision;
  }

  /**
   * Who answers a request, and who gets a copy.
   *
   * @param unit requests of the same unit go to the same revision
   * @throws NotFound when there is no such endpoint, Unavailable when nothing serves there
   */
  choose(endpoint: string, unit?: string): Chosen {
    return this.#at(endpoint, unit === undefined ? this.#spread() * 100 : pointOf(endpoint, unit));
  }

  #at(endpoint: string, point: number): Chosen {
    const route = this.#routes.get(endpoint);
    if (route === undefined) throw new NotFound(`there is no endpoint ${endpoint}`);
    const revision = route.revisions.get(revisionAt(route.traffic, point) ?? 0);
    if (revision === undefined) throw new Unavailable(`no revision of ${endpoint} is ready`);
    const shadows = shadowsAt(route.traffic, point)
      .map((number) => route.revisions.get(number))
      .filter((shadow) => shadow !== undefined);
    return { revision, shadows };
  }
}
