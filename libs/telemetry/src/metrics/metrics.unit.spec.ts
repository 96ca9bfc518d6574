import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { prometheusText, startMetrics } from '../metrics.ts';
import { count, record } from './instruments.ts';
import { metricTable } from './metric-table.ts';
import { metricsPage } from './metrics-page.ts';
import { observeMetric } from './observed.ts';
import type { MetricDefinition } from './table/definition.ts';

describe('the table of metrics', () => {
  it.each(Object.entries<MetricDefinition>(metricTable))(
    '%s follows the naming rules',
    (name, definition) => {
      const { type, unit, labels, help, buckets } = definition;
      expect(name).toMatch(/^millrace_[a-z][a-z0-9_]*[a-z0-9]$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
      expect(name).not.toMatch(/_(count|sum|bucket)$/);
      if (unit !== '') expect(name.replace(/_total$/, '')).toMatch(new RegExp(`_${unit}$`));
      else expect(name).not.toMatch(/_(seconds|bytes|ms|milliseconds)(_total)?$/);
      expect(new Set(labels).size).toBe(labels.length);
      for (const label of labels) {
        expect(label).toMatch(/^[a-z][a-z_]*$/);
        expect(label, 'labels never hold ids').not.toMatch(/(^|_)(id|run|entity|key|user|token|trace)$/);
      }
      expect(help).toMatch(/[^.]\.$/);
      expect(buckets !== undefined).toBe(type === 'histogram');
      expect(buckets ?? []).toEqual([...(buckets ?? [])].sort((a, b) => a - b));
    },
  );

  it('is the page of the documentation', async () => {
    const page = fileURLToPath(new URL('../../../../docs/telemetry/metrics.md', import.meta.url));
    expect(
      await readFile(page, 'utf8'),
      'Write it again: node libs/telemetry/src/metrics/write-metrics-page.ts',
    ).toBe(metricsPage());
  });
});

describe('measurements', () => {
  beforeAll(() => startMetrics());

  it('of counters add up under the name and labels of the table', async () => {
    count('millrace_bus_dead_letters_total', { consumer: 'a' });
    count('millrace_bus_dead_letters_total', { consumer: 'a' }, 2);
    expect(await prometheusText()).toContain('millrace_bus_dead_letters_total{consumer="a"} 3\n');
  });

  it('of histograms fall into the buckets of the table', async () => {
    record('millrace_store_commit_group_size', 3, { service: 'a' });
    const text = await prometheusText();
    expect(text).toContain('millrace_store_commit_group_size_bucket{service="a",le="2"} 0\n');
    expect(text).toContain('millrace_store_commit_group_size_bucket{service="a",le="5"} 1\n');
    expect(text).toContain('# TYPE millrace_store_commit_group_size histogram\n');
  });

  it('beyond the number of series that a metric may have are added up', async () => {
    for (let i = 0; i < 2_010; i += 1) count('millrace_bus_gaps_total', { consumer: `c${i}` });
    const text = await prometheusText();
    expect(text.match(/^millrace_bus_gaps_total\{/gm)).toHaveLength(2_001);
    expect(text).toContain('millrace_bus_gaps_total{otel_metric_overflow="true"} 10\n');
  });

  it('of gauges are read when wanted, of each who has any, until they stop', async () => {
    const stop = observeMetric('millrace_outbox_pending', () => [{ value: 1, labels: { service: 'a' } }]);
    observeMetric('millrace_outbox_pending', async () => [{ value: 2, labels: { service: 'b' } }]);
    const both = await prometheusText();
    expect(both).toContain('millrace_outbox_pending{service="a"} 1\n');
    expect(both).toContain('millrace_outbox_pending{service="b"} 2\n');
    stop();
    expect(await prometheusText()).not.toContain('millrace_outbox_pending{service="a"}');
  });

  it('have their labels escaped', async () => {
    const stop = observeMetric('millrace_outbox_pending', () => [
      { value: 1, labels: { service: 'a"b\\c\nd' } },
    ]);
    expect(await prometheusText()).toContain('{service="a\\"b\\\\c\\nd"} 1\n');
    stop();
  });

  it('that fail hide no others', async () => {
    observeMetric('millrace_store_size_bytes', () => Promise.reject(new Error('away')));
    observeMetric('millrace_store_size_bytes', () => [{ value: 7, labels: { service: 'b' } }]);
    expect(await prometheusText()).toContain('millrace_store_size_bytes{service="b"} 7\n');
  });

  it('tell of the process', async () => {
    const text = await prometheusText();
    expect(text).toMatch(/^millrace_process_resident_memory_bytes \d{7,}$/m);
    expect(text).toMatch(/^millrace_process_event_loop_delay_seconds\{quantile="0.99"\} [\d.e-]+$/m);
  });
});
