import { rm } from 'node:fs/promises';
import { type MetricDefinition, metricTable } from '@millrace/telemetry';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installPrometheusCheck, runOn } from '../../infra/tools/prometheus-check.ts';
import { quickRecipe, someFlights, writeProject } from '../support/flights-project.ts';
import { flightsOf } from '../support/flights-traffic.ts';
import { TestInstallation } from '../support/installation.ts';
import { followToEnd, followToPause, modelVersionOf, submit } from '../support/runs.ts';
import { until } from '../support/wait.ts';

const name = 'measured';
/** Records of a monitoring window of the recipe. */
const windowRecords = 100;

/** A family as Prometheus' parser of the text format reads it; of each series the names of its labels. */
interface Family {
  readonly name: string;
  readonly type: 'COUNTER' | 'GAUGE' | 'HISTOGRAM' | 'SUMMARY' | 'UNTYPED';
  readonly help: string;
  readonly series: readonly (readonly string[])[];
}

const table = Object.entries<MetricDefinition>(metricTable);

describe('the metrics of a model’s life in one process', () => {
  let check: string;
  let millrace: TestInstallation;
  let root: string;
  let text = '';
  let families: readonly Family[] = [];

  const scrape = async (): Promise<string> => {
    const answer = await fetch(`${millrace.url}/metrics`);
    expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    return answer.text();
  };

  const ended = async (): Promise<void> => {
    const { id } = await submit(millrace.client, { root });
    const paused = await followToPause(millrace, id);
    if (paused.state === 'RUN_STATE_WAITING') {
      const version = modelVersionOf(paused);
      await millrace.client.registry.approveModelVersion({ ...version, actor: { reason: 'it is good' } });
    }
    expect((await followToEnd(millrace, id)).state).toBe('RUN_STATE_SUCCEEDED');
  };

  /** The value of a series, by its beginning as it stands in the text. */
  const figure = (series: string): number =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.slice(series.length + 1),
    );

  beforeAll(async () => {
    check = await installPrometheusCheck();
    root = await writeProject({
      'recipe.yaml': quickRecipe(name, 1),
      'data/flights.csv': await someFlights(600),
    });
    millrace = await TestInstallation.start({ separate: false });
    await ended();
    // The steps of the second are answered from the cache.
    await ended();
    const rows = (await flightsOf('live/2013-winter.csv')).slice(0, 2 * windowRecords);
    for (let i = 0; i < rows.length; i += 20) {
      const answer = await fetch(`${millrace.url}/endpoints/${name}/invocations`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ dataframe_records: rows.slice(i, i + 20) }),
      });
      expect(answer.status).toBe(200);
    }
    await until('the figures of a closed window', async () => {
      text = await scrape();
      return text.includes(`millrace_drift_features_drifted{endpoint="${name}"}`) ? true : undefined;
    });
    families = JSON.parse(await runOn(check, ['metrics'], text)) as Family[];
  }, 600_000);

  afterAll(async () => {
    await millrace?.stop();
    await rm(root, { recursive: true, force: true });
  });

  test('are read by Prometheus, have the type and the labels of the table, and no others are there', () => {
    const problems = families.flatMap((family) => {
      const definition = table.find(([known]) => known === family.name)?.[1];
      if (definition === undefined) return [`${family.name} is not in the table`];
      const wanted = [...definition.labels].sort().join();
      return [
        ...(family.type === definition.type.toUpperCase() ? [] : [`${family.name} is a ${family.type}`]),
        ...(family.help === definition.help ? [] : [`${family.name}: ${family.help}`]),
        ...family.series
          .filter((labels) => [...labels].sort().join() !== wanted)
          .map((labels) => `${family.name}{${labels.join()}}`),
      ];
    });
    expect(problems).toEqual([]);
  });

  test('are all there that every lifecycle shows', () => {
    const shown = new Set(families.map((family) => family.name));
    const missing = table.filter(([metric, { only }]) => only === undefined && !shown.has(metric));
    expect(missing.map(([metric]) => metric)).toEqual([]);
  });

  test('hold no ids, and have few series', () => {
    const series = text.split('\n').filter((line) => /^millrace_/.test(line));
    expect(
      series.filter((line) =>
        /(run|pred|trace|mv|tok)_[0-9a-z]{20,}|sha256:|[0-9A-HJKMNP-TV-Z]{26}/.test(line),
      ),
    ).toEqual([]);
    expect(series.length).toBeLessThan(5_000);
  });

  test('tell what happened', () => {
    expect(figure('millrace_pipeline_runs_submitted_total')).toBe(2);
    expect(figure('millrace_pipeline_runs_finished_total{outcome="succeeded"}')).toBe(2);
    expect(figure('millrace_steps_finished_total{step="train",outcome="succeeded"}')).toBe(1);
    expect(figure('millrace_steps_finished_total{step="train",outcome="cached"}')).toBe(1);
    expect(figure('millrace_step_duration_seconds_count{step="train",outcome="succeeded"}')).toBe(1);
    expect(figure('millrace_model_versions_total{change="registered"}')).toBeGreaterThanOrEqual(1);
    expect(figure(`millrace_deployments_total{endpoint="${name}",change="promoted"}`)).toBeGreaterThanOrEqual(
      1,
    );
    expect(figure('millrace_pipeline_runs_open{state="running"}')).toBe(0);
    expect(figure('millrace_service_ready{service="deployment"}')).toBe(1);
    expect(figure('millrace_outbox_pending{service="pipeline"}')).toBe(0);
  });

  test('count each prediction request once, and give its revision the whole traffic', () => {
    const answered = text
      .split('\n')
      .filter(
        (line) => line.startsWith('millrace_endpoint_requests_total{') && line.includes('outcome="ok"'),
      );
    expect(answered.map((line) => Number(line.split(' ').at(-1))).reduce((sum, each) => sum + each, 0)).toBe(
      10,
    );
    const shares = text
      .split('\n')
      .filter((line) => /^millrace_endpoint_traffic_ratio\{.*role="live"/.test(line));
    expect(shares.map((line) => Number(line.split(' ').at(-1))).reduce((sum, each) => sum + each, 0)).toBe(1);
  });
});
