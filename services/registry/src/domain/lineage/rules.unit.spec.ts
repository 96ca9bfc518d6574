import type { EventDefinition } from '@millrace/contracts';
import { deploymentEvents, type Endpoint, Revision } from '@millrace/contracts/deployment';
import { ingestEvents } from '@millrace/contracts/ingest';
import { pipelineEvents } from '@millrace/contracts/pipeline';
import { registryEvents } from '@millrace/contracts/registry';
import { trainingEvents } from '@millrace/contracts/training';
import { describe, expect, test } from 'vitest';
import type { GraphChange } from './graph.ts';
import { lineageRules } from './rules.ts';

/** What the rule of an event says, from the event's JSON as it travels. */
const project = <T>(definition: EventDefinition<T>, json: object): GraphChange => {
  const rule = lineageRules.find((candidate) => candidate.definition.type === definition.type);
  if (rule === undefined) throw new Error(`no rule for ${definition.type}`);
  return rule.project(definition.codec.fromJSON(json));
};
const edgesOf = ({ edges = [] }: GraphChange): string[] =>
  edges.map(({ from, relation, to }) => `${from} ${relation} ${to}`).sort();
const attributesOf = ({ nodes = [] }: GraphChange, id: string) =>
  Object.assign({}, ...nodes.filter((node) => node.id === id).map(({ attributes }) => attributes));

describe('lineage', () => {
  test('leads from files through a dataset version', () => {
    const change = project(ingestEvents.datasetVersionCreated, {
      datasetVersion: {
        id: 'flights@01',
        dataset: 'flights',
        sources: [
          { location: 'data/a.csv', digest: 'sha256:a' },
          { location: 'data/b.csv', digest: 'sha256:b' },
        ],
        pipelineRunId: 'run_1',
      },
    });
    expect(edgesOf(change)).toEqual([
      'pipeline_run:run_1 produced dataset_version:flights@01',
      'source:sha256:a ingested_as dataset_version:flights@01',
      'source:sha256:b ingested_as dataset_version:flights@01',
    ]);
    expect(attributesOf(change, 'source:sha256:a')).toMatchObject({ location: 'data/a.csv' });
  });

  test('leads from data, code and pipeline run through a training run to its model, leaving out trials', () => {
    const run = {
      id: 't1',
      status: 'RUN_STATUS_FINISHED',
      datasetVersionId: 'flights@01',
      codeCommit: 'c0ffee',
      pipelineRunId: 'run_1',
      modelDigest: 'sha256:m',
    };
    expect(edgesOf(project(trainingEvents.runFinished, { run }))).toEqual([
      'commit:c0ffee ran_as training_run:t1',
      'dataset_version:flights@01 trained training_run:t1',
      'pipeline_run:run_1 produced training_run:t1',
      'training_run:t1 produced model:sha256:m',
    ]);
    const trial = { ...run, parentRunId: 't0' };
    expect(project(trainingEvents.runFinished, { run: trial })).toEqual({});
  });

  test('tells a reused output from a produced one', () => {
    const finished = (state: string) =>
      project(pipelineEvents.stepFinished, {
        pipelineRunId: 'run_2',
        step: {
          state,
          outputs: [
            { kind: 'model', digest: 'sha256:m' },
            { kind: 'card', digest: 'sha256:c' },
          ],
        },
      });
    expect(edgesOf(finished('STEP_STATE_SUCCEEDED'))).toEqual(['pipeline_run:run_2 produced model:sha256:m']);
    expect(edgesOf(finished('STEP_STATE_CACHED'))).toEqual(['model:sha256:m reused_by pipeline_run:run_2']);
    expect(edgesOf(finished('STEP_STATE_FAILED'))).toEqual([]);
  });

  test('joins splits to their dataset version when the run ends', () => {
    const steps = [
      { outputs: [{ kind: 'dataset_version', id: 'flights@01' }] },
      {
        outputs: [
          { kind: 'split', digest: 'sha256:x' },
          { kind: 'split', digest: 'sha256:y' },
        ],
      },
    ];
    const change = project(pipelineEvents.runSucceeded, { run: { id: 'run_1', steps } });
    expect(edgesOf(change)).toEqual([
      'dataset_version:flights@01 split_into split:sha256:x',
      'dataset_version:flights@01 split_into split:sha256:y',
    ]);
  });

  test('leaves out what is not known', () => {
    const modelVersion = { model: 'flights', version: 3, digest: 'sha256:m' };
    expect(edgesOf(project(registryEvents.modelVersionRegistered, { modelVersion }))).toEqual([
      'model:sha256:m registered_as model_version:flights/3',
    ]);
  });

  test('keeps who approved a version and why', () => {
    const change = project(registryEvents.modelVersionApproved, {
      modelVersion: { model: 'flights', version: 3 },
      approval: { id: 'apr_1', approved: true, actor: { name: 'user:grace', reason: 'good' } },
    });
    expect(attributesOf(change, 'model_version:flights/3')).toMatchObject({
      approvalState: 'APPROVED',
      decidedBy: 'user:grace',
      decisionReason: 'good',
    });
  });

  test('lets an alias name one version at a time', () => {
    const move = { model: 'flights', alias: 'production', fromVersion: 2, toVersion: 3 };
    const change = project(registryEvents.aliasMoved, { move });
    expect(edgesOf(change)).toEqual(['model_version:flights/3 named alias:flights/production']);
    expect(edgesOf({ edges: change.removedEdges ?? [] })).toEqual([
      'model_version:flights/2 named alias:flights/production',
    ]);
  });

  test('knows how much of the traffic each revision of an endpoint has', () => {
    const revision = Revision.fromPartial({ number: 2, model: 'flights', modelVersion: 3 });
    const traffic: Endpoint['traffic'] = [
      { revision: 1, percent: 90, shadow: false },
      { revision: 2, percent: 10, shadow: false },
    ];
    const change = project(deploymentEvents.trafficShifted, {
      endpoint: { name: 'fast', traffic },
      revision: Revision.toJSON(revision),
    });
    expect(edgesOf(change)).toEqual(['model_version:flights/3 serves endpoint_revision:fast/2']);
    expect(attributesOf(change, 'endpoint_revision:fast/2')).toMatchObject({ trafficPercent: '10' });
    expect(attributesOf(change, 'endpoint_revision:fast/1')).toEqual({ trafficPercent: '90' });
    const deleted = project(deploymentEvents.endpointDeleted, { endpoint: 'fast' });
    expect(deleted.patch).toEqual({
      idPrefix: 'endpoint_revision:fast/',
      attributes: { state: 'retired', trafficPercent: '0' },
    });
  });

  test('has one rule per event type', () => {
    const types = lineageRules.map(({ definition }) => definition.type);
    expect(new Set(types).size).toBe(types.length);
  });
});
