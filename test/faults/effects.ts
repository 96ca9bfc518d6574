import type { TailedEvent } from '@millrace/bus';
import type { MillraceClient } from '@millrace/client';
import { type Run, RunState } from '@millrace/contracts/pipeline';
import type { StepFailed } from '@millrace/contracts/registry';
import { expect } from 'vitest';
import { auditRecords } from '../support/audit.ts';
import type { TestInstallation } from '../support/installation.ts';
import { statesOf } from '../support/runs.ts';
import { eventually } from '../support/wait.ts';
import { describeBrokenSequence, findBrokenSequences } from './support/event-sequences.ts';

/** Checks that a run of a project of its own succeeded and had every effect exactly once. */
export const expectEachEffectOnce = async (millrace: TestInstallation, run: Run): Promise<void> => {
  const { client, log } = millrace;
  const name = run.project?.project ?? '';
  expect(run.state).toBe(RunState.RUN_STATE_SUCCEEDED);
  expect(statesOf(run)).toEqual(run.steps.map((step) => `${step.name} SUCCEEDED`));
  const { datasetVersions } = await client.ingest.listDatasetVersions({ dataset: name });
  expect(datasetVersions.map(({ version }) => version)).toEqual([1]);
  const { modelVersions } = await client.registry.listModelVersions({ model: name });
  expect(modelVersions.map(({ version, aliases }) => ({ version, aliases }))).toEqual([
    { version: 1, aliases: ['production'] },
  ]);
  await expectTrainedOnce(client, run, name);
  await expectServed(client, name);
  await expectAuditedOnce(client, name);
  await expectConnectedLineage(client, run, name);
  await eventually('the events of the run', () => expectEventsOnce(log.events, run));
};

/** An attempt that was killed may leave a run that ended, never one that is still said to run. */
const expectTrainedOnce = async (client: MillraceClient, run: Run, experimentName: string): Promise<void> => {
  const { runs } = await client.training.searchRuns({ experimentName, includeNested: true });
  expect(runs.map(({ status, pipelineRunId }) => ({ status, pipelineRunId }))).toEqual([
    { status: 'RUN_STATUS_FINISHED', pipelineRunId: run.id },
  ]);
};

const expectServed = async (client: MillraceClient, name: string): Promise<void> => {
  const { endpoint, revisions } = await client.deployment.getEndpoint({ name });
  expect(revisions.map(({ number, state }) => ({ number, state }))).toEqual([
    { number: 1, state: 'REVISION_STATE_READY' },
  ]);
  expect(endpoint?.traffic).toEqual([{ revision: 1, percent: 100, shadow: false }]);
  const { monitor } = await client.monitoring.getMonitor({ endpoint: name });
  expect(monitor?.revision).toBe(1);
  const { modelVersion } = await client.registry.getModelVersion({ model: name, version: 1 });
  const { revision } = (await client.invoke(name, {
    dataframe_records: modelVersion?.inputExample.slice(0, 1),
  })) as { revision: number };
  expect(revision).toBe(1);
};

const once = ['model_version.registered', 'model_version.approved', 'alias.moved', 'deployment.promoted'];

const expectAuditedOnce = async (client: MillraceClient, name: string): Promise<void> => {
  await eventually('the audit log', async () => {
    const own = (await auditRecords(client)).filter(
      ({ entity }) => /\/(.*)$/.exec(entity)?.[1]?.split('/')[0] === name,
    );
    for (const action of once) {
      expect(own.filter((record) => record.action === action).map(({ entity }) => entity)).toHaveLength(1);
    }
  });
  expect(await client.registry.verifyAudit({})).toMatchObject({ intact: true });
};

const expectConnectedLineage = async (client: MillraceClient, run: Run, name: string): Promise<void> => {
  const dataset = run.steps[0]?.outputs.find(({ kind }) => kind === 'dataset_version')?.id ?? '';
  const revision = `endpoint_revision:${name}/1`;
  await eventually('the lineage', async () => {
    const upstream = await client.registry.getLineage({
      node: revision,
      direction: 'LINEAGE_DIRECTION_UPSTREAM',
    });
    const causes = upstream.nodes.map(({ id }) => id);
    expect(causes).toEqual(
      expect.arrayContaining([
        `pipeline_run:${run.id}`,
        `dataset_version:${dataset}`,
        `model_version:${name}/1`,
      ]),
    );
    const downstream = await client.registry.getLineage({
      node: `dataset_version:${dataset}`,
      direction: 'LINEAGE_DIRECTION_DOWNSTREAM',
    });
    expect(downstream.nodes.map(({ id }) => id)).toContain(revision);
  });
};

/**
 * One result per step and attempt, and the run's own events without gap or double. An attempt whose dependency was
 * away may have failed; only the last one succeeded.
 */
const expectEventsOnce = (events: readonly TailedEvent[], run: Run): void => {
  const results = events.filter(
    ({ type, key }) => /\.step\.(succeeded|failed)\.v1$/.test(type) && key.startsWith(`${run.id}.`),
  );
  const keys = results.map(({ key }) => key);
  expect(keys).toEqual([...new Set(keys)]);
  const succeeded = results.filter(({ type }) => type.endsWith('.step.succeeded.v1'));
  expect(succeeded.map(({ key }) => key).sort()).toEqual(
    run.steps.map(({ name, attempt }) => `${run.id}.${name}.${attempt}`).sort(),
  );
  const failures = results.filter((event) => !succeeded.includes(event));
  expect(failures.filter(({ data }) => !(data as StepFailed).result?.error?.retryable)).toEqual([]);
  const own = events.filter(({ entity }) => entity === `pipeline.run/${run.id}`);
  expect(own.map(({ sequence }) => sequence)).toEqual(own.map((_, index) => index + 1));
  expect(own.at(-1)?.type).toBe('millrace.pipeline.run.succeeded.v1');
};

/** Entities of which an event is missing, on the stream twice or numbered like another, with all that they say. */
export const brokenSequences = (events: readonly TailedEvent[]): readonly string[] =>
  findBrokenSequences(events).map(describeBrokenSequence);
