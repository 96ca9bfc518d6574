import { metricGroups } from './metric-table.ts';
import type { MetricDefinition } from './table/definition.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|');

const rowOf = (name: string, { type, labels, help, only }: MetricDefinition): string => {
  const shown = labels.map((label) => `\`${label}\``).join(', ');
  return `| \`${name}\` | ${type} | ${shown} | ${cell(help)}${only === undefined ? '' : ` Shown ${only}.`} |`;
};

const tableOf = (metrics: Readonly<Record<string, MetricDefinition>>): string =>
  [
    '| metric | type | labels | |',
    '|---|---|---|---|',
    ...Object.entries(metrics).map(([name, definition]) => rowOf(name, definition)),
  ].join('\n');

/** The page of all metrics, `docs/telemetry/metrics.md`. */
export const metricsPage = (): string => `# Metrics

Made from \`libs/telemetry/src/metrics/table\`; a test holds what the services of a whole lifecycle expose to it.

Each process answers \`GET /metrics\` in the Prometheus text format 0.0.4. Times are seconds and sizes bytes, in the name;
counters end in \`_total\` and begin at 0 with the process. A histogram has \`_bucket\`, \`_sum\` and \`_count\`. Series appear
with their first measurement. In the embedded mode all services share one process: \`service\` tells them apart where it
matters. Labels never hold ids: endpoints, revisions, features (20 of each endpoint), routes and consumers are few, and a
metric has at most 2,000 series in a process; what comes beyond those is summed up in one with \`otel_metric_overflow\`.

Where to look at them: the dashboards in \`infra/grafana\`. What to do when they are bad: the
[runbooks](../operations/runbooks/README.md) of the alerts in \`infra/prometheus/rules/alerts.yml\`.

${Object.entries(metricGroups)
  .map(([title, metrics]) => `## ${title}\n\n${tableOf(metrics)}`)
  .join('\n\n')}
`;
