import { createHash } from 'node:crypto';
import type { Metric } from '@millrace/contracts/training';
import type { Collection, DocumentStore } from '@millrace/store';
import { inOneSpan } from '@millrace/telemetry';
import type { MetricHistory, PageQuery } from '../application/ports.ts';

interface MetricPoint {
  /** Run and metric. */
  readonly series: string;
  readonly key: string;
  readonly value: number;
  readonly step: number;
  readonly time: string;
}

/** One small document per value: writes are appended and grouped by the store, and never rewrite a history. */
export class StoredMetricHistory implements MetricHistory {
  readonly #points: Collection<MetricPoint>;

  constructor(store: DocumentStore) {
    this.#points = store.collection({
      name: 'metric_points',
      indexes: [
        { path: 'series', type: 'text' },
        { path: 'step', type: 'number' },
      ],
    });
  }

  async add(runId: string, metrics: readonly Metric[]): Promise<void> {
    const attributes = { 'millrace.metric.count': metrics.length };
    await inOneSpan('add metric_points', { attributes }, () =>
      Promise.all(metrics.map((metric) => this.#addPoint(runId, metric))),
    );
  }

  /** Removes every value of a run that is gone. */
  async removeOf(runId: string): Promise<void> {
    const ofRun = { field: 'series', op: 'prefix', value: seriesOf(runId, '') } as const;
    for await (const { key } of this.#points.scan(ofRun)) {
      await this.#points.update(key, (current) => (current === undefined ? undefined : { document: null }));
    }
  }

  async #addPoint(runId: string, { key, value, step, time }: Metric): Promise<void> {
    const point = { series: seriesOf(runId, key), key, value, step, time: time ?? '' };
    await this.#points.update(keyOf(point), (current) =>
      current === undefined ? { document: point } : undefined,
    );
  }

  async list(runId: string, key: string, page: PageQuery) {
    const { items, nextCursor } = await this.#points.find({
      ...page,
      filter: { field: 'series', op: 'eq', value: seriesOf(runId, key) },
      sort: { field: 'step', direction: 'asc' },
    });
    const metrics = items.map(({ document }): Metric => {
      const { value, step, time } = document;
      return { key, value, step, time: time === '' ? undefined : time };
    });
    return nextCursor === undefined ? { items: metrics } : { items: metrics, nextCursor };
  }
}

const seriesOf = (runId: string, key: string): string => `${runId}/${key}`;

/** The same value of the same step and time has the same key, so that a repeated call doubles nothing. */
const keyOf = ({ series, step, time, value }: MetricPoint): string =>
  createHash('sha256')
    .update(JSON.stringify([series, step, time, value]))
    .digest('hex');
