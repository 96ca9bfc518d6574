import { type MetricName, metricTable } from './metric-table.ts';
import type { MetricDefinition } from './table/definition.ts';

export type Labels = Readonly<Record<string, string>>;

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

/** `{a="1",b="2"}`, or nothing, as the Prometheus text format 0.0.4 writes labels. */
export const labelsText = (labels: Labels): string => {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
};

/** The two lines before the series of a metric. */
export const familyHead = (name: MetricName): string => {
  const { help, type }: MetricDefinition = metricTable[name];
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
};
