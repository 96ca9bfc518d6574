import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type MetricDefinition, metricTable } from '@millrace/telemetry';
import { beforeAll, describe, expect, it } from 'vitest';
import { dashboardJson } from '../grafana/dashboard.ts';
import { dashboards } from '../grafana/dashboards.ts';
import { run } from '../tools/cached-tool.ts';
import { installPrometheusCheck, runOn } from '../tools/prometheus-check.ts';

const root = join(import.meta.dirname, '..', '..');
const rulesFile = join(root, 'infra/prometheus/rules/alerts.yml');
const testsFile = join(root, 'infra/prometheus/tests/alerts.yml');
const runbooks = join(root, 'docs/operations/runbooks');
const dashboardFiles = join(root, 'infra/grafana/dashboards');

interface Expression {
  readonly selectors: readonly { readonly metric: string; readonly labels: readonly string[] }[];
  readonly groupings: readonly string[];
}

interface Rule extends Expression {
  readonly alert: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const table: Readonly<Record<string, MetricDefinition>> = metricTable;

/** Labels that Prometheus gives each series of a target. */
const targetLabels = ['job', 'instance', 'service'];

/** The definition of a series, and the labels that it has beyond those of its target. */
const declared = (series: string): readonly string[] | undefined => {
  if (series === 'up') return [];
  const own = table[series];
  if (own !== undefined) return own.type === 'histogram' ? undefined : own.labels;
  const [, name = '', part] = /^(.*)_(bucket|sum|count)$/.exec(series) ?? [];
  const histogram = table[name];
  if (histogram?.type !== 'histogram') return undefined;
  return part === 'bucket' ? [...histogram.labels, 'le'] : histogram.labels;
};

/** What an expression asks for that no service shows. */
const unknownIn = ({ selectors, groupings }: Expression): readonly string[] => {
  const labelsOfAll = new Set(targetLabels);
  const unknown: string[] = [];
  for (const { metric, labels } of selectors) {
    const known = declared(metric);
    if (known === undefined) unknown.push(metric);
    for (const label of known ?? []) labelsOfAll.add(label);
    const own = new Set([...targetLabels, ...(known ?? [])]);
    unknown.push(...labels.filter((label) => !own.has(label)).map((label) => `${metric}{${label}}`));
  }
  return [...unknown, ...groupings.filter((label) => !labelsOfAll.has(label))];
};

let check: string;
let rules: readonly Rule[];
beforeAll(async () => {
  check = await installPrometheusCheck();
  rules = JSON.parse(await run(check, ['rules', rulesFile])) as Rule[];
}, 600_000);

const kebab = (alert: string): string =>
  alert
    .replace(/^Millrace/, '')
    .replaceAll(/(?<=.)([A-Z])/g, '-$1')
    .toLowerCase();

describe('the alerts', () => {
  it('are rules of Prometheus that say whom they wake, after how long and why', () => {
    expect(rules.length).toBeGreaterThan(20);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, labels, annotations } of rules) {
      expect(alert).toMatch(/^Millrace[A-Z][A-Za-z]+$/);
      expect(labels.severity, alert).toMatch(/^(warning|critical)$/);
      expect(annotations.summary, alert).toMatch(/^[A-Z]/);
      expect(annotations.description, alert).toMatch(/\.$|%\.$/);
      expect(annotations.runbook_url).toBe(`docs/operations/runbooks/${kebab(alert)}.md`);
    }
  });

  it('say `for` in the file, each of them', async () => {
    const text = await readFile(rulesFile, 'utf8');
    expect(text.match(/^ {8}for: \d+[mh]$/gm)).toHaveLength(rules.length);
  });

  it('ask for metrics and labels that there are', () => {
    const wrong = rules.flatMap((rule) => unknownIn(rule).map((what) => `${rule.alert}: ${what}`));
    expect(wrong).toEqual([]);
  });

  it('name in their texts labels that their series have', () => {
    for (const { alert, selectors, annotations } of rules) {
      const known = new Set([...targetLabels, ...selectors.flatMap(({ metric }) => declared(metric) ?? [])]);
      for (const [, label] of `${annotations.summary} ${annotations.description}`.matchAll(
        /\$labels\.(\w+)/g,
      )) {
        expect(known, alert).toContain(label);
      }
    }
  });

  it('fire when they should, and not otherwise', async () => {
    expect(await run(check, ['test', rulesFile, testsFile])).toMatch(/^\d\d checks of \d\d cases passed\n$/);
  });
});

describe('the runbooks', () => {
  it('are one for each alert, with all that one needs at night', async () => {
    const pages = (await readdir(runbooks)).filter((file) => file !== 'README.md');
    expect(pages.sort()).toEqual(rules.map(({ alert }) => `${kebab(alert)}.md`).sort());
    const index = await readFile(join(runbooks, 'README.md'), 'utf8');
    for (const { alert } of rules) {
      const page = await readFile(join(runbooks, `${kebab(alert)}.md`), 'utf8');
      expect(page.startsWith(`# ${alert}\n`)).toBe(true);
      expect(page.match(/^## .*$/gm)).toEqual([
        '## What it means',
        '## What is affected',
        '## How to look',
        '## What to do',
        '## When to escalate',
      ]);
      expect(index).toContain(`[${alert}](${kebab(alert)}.md)`);
    }
  });

  it('name commands, metrics and pages that there are', async () => {
    const cli = await readFile(join(root, 'docs/cli.md'), 'utf8');
    const commands = [...cli.matchAll(/^### millrace ([a-z -]+?)(?= [<[]|$)/gm)].map(
      ([, name]) => name ?? '',
    );
    const files = await readdir(runbooks);
    const operations = new Set(await readdir(join(runbooks, '..')));
    for (const file of files) {
      const page = await readFile(join(runbooks, file), 'utf8');
      for (const [, words = ''] of page.matchAll(/`millrace ([a-z][a-z -]*)/g)) {
        expect(
          commands.some((command) => words === command || words.startsWith(`${command} `)),
          `${file}: ${words}`,
        ).toBe(true);
      }
      for (const [, metric = ''] of page.matchAll(/`(millrace_[a-z_]+)`/g)) {
        expect(declared(metric), `${file}: ${metric}`).toBeDefined();
      }
      for (const [, target = ''] of page.matchAll(/\]\((?!\.\.\/\.\.)([^)]+\.md)\)/g)) {
        const there = target.startsWith('../') ? operations.has(target.slice(3)) : files.includes(target);
        expect(there, `${file}: ${target}`).toBe(true);
      }
      for (const [, alert] of page.matchAll(/`(Millrace[A-Z]\w+)`/g)) {
        expect(
          rules.map((rule) => rule.alert),
          file,
        ).toContain(alert);
      }
    }
  });
});

interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly datasource: { readonly uid: string };
}

interface DashboardFile {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly type: string;
    readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
    readonly fieldConfig: { readonly defaults: { readonly unit: string } };
    readonly targets: readonly Target[];
  }[];
}

const readDashboard = async (name: string): Promise<DashboardFile> =>
  JSON.parse(await readFile(join(dashboardFiles, `${name}.json`), 'utf8')) as DashboardFile;

describe('the dashboards', () => {
  it('are the files that Grafana reads', async () => {
    expect((await readdir(dashboardFiles)).sort()).toEqual(
      dashboards.map(({ name }) => `${name}.json`).sort(),
    );
  });

  it.each(dashboards)('$title: is written anew, and complete', async (dashboard) => {
    const file = await readDashboard(dashboard.name);
    expect(file, 'Write it again: node infra/grafana/write-dashboards.ts').toEqual(dashboardJson(dashboard));
    expect(file.uid).toMatch(/^[a-z-]{1,40}$/);
    expect(file.templating.list).toMatchObject([{ name: 'datasource', type: 'datasource' }]);
    const places = file.panels.map(({ gridPos: { x, y } }) => `${x}/${y}`);
    expect(new Set(places).size).toBe(file.panels.length);
    for (const { gridPos, targets, fieldConfig, title } of file.panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      expect(title).not.toBe('');
      expect(fieldConfig.defaults.unit).not.toBe('');
      expect(targets.length).toBeGreaterThan(0);
      for (const { datasource } of targets) expect(datasource.uid).toBe('$datasource');
    }
  });

  it.each(dashboards)('$title: asks for metrics and labels that there are', async ({ panels }) => {
    const texts = panels.flatMap(({ queries }) =>
      queries.map(({ expr }) => expr.replaceAll('$__rate_interval', '5m')),
    );
    const read = JSON.parse(await runOn(check, ['expressions'], JSON.stringify(texts))) as Expression[];
    const wrong = read.flatMap((expression, i) =>
      unknownIn(expression).map((what) => `${texts[i]}: ${what}`),
    );
    expect(wrong).toEqual([]);
  });

  it('show every metric of the table', async () => {
    const texts = dashboards.flatMap(({ panels }) =>
      panels.flatMap(({ queries }) => queries.map(({ expr }) => expr)),
    );
    const shown = texts.join(' ');
    expect(Object.keys(metricTable).filter((name) => !shown.includes(name))).toEqual([]);
  });
});
