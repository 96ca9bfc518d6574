import { pipelineEvents, type Run, type Step } from '@millrace/contracts/pipeline';
import type { Artifact } from '@millrace/contracts/step';
import { describeNode, type GraphChange, type LineageEdge, link, type NodeKind } from './graph.ts';
import { type LineageRule, lineageRule } from './rule.ts';

const byId = new Set<string>(['dataset_version', 'training_run', 'evaluation_report', 'model_version']);
const byDigest = new Set<string>(['split', 'model']);

/** The node that a step's output is, where the graph has such nodes. */
const nodeOf = ({ kind, id, digest }: Artifact): readonly [NodeKind, string] | undefined => {
  if (byId.has(kind)) return [kind as NodeKind, id];
  return byDigest.has(kind) ? [kind as NodeKind, digest] : undefined;
};

/** A cached step's outputs were made by an earlier run and come into this one. */
const edgesOfStep = (runId: string, step: Step | undefined): readonly LineageEdge[] => {
  const run = ['pipeline_run', runId] as const;
  const nodes = (step?.outputs ?? []).map(nodeOf).filter((node) => node !== undefined);
  if (step?.state === 'STEP_STATE_CACHED') return nodes.flatMap((node) => link(node, 'reused_by', run));
  if (step?.state === 'STEP_STATE_SUCCEEDED') return nodes.flatMap((node) => link(run, 'produced', node));
  return [];
};

/** Which splits came from which dataset version shows only when the steps are seen together. */
const splitEdges = (run: Run): readonly LineageEdge[] => {
  const outputs = run.steps.flatMap((step) => step.outputs);
  const datasets = outputs.filter(({ kind }) => kind === 'dataset_version');
  const splits = outputs.filter(({ kind }) => kind === 'split');
  return datasets.flatMap((dataset) =>
    splits.flatMap((split) => link(['dataset_version', dataset.id], 'split_into', ['split', split.digest])),
  );
};

const ofRun = (run: Run | undefined): GraphChange => {
  if (run === undefined) return {};
  return {
    nodes: describeNode('pipeline_run', run.id, {
      project: run.project?.project,
      number: run.number,
      state: run.state.replace('RUN_STATE_', ''),
      submittedBy: run.submittedBy?.name,
      causedBy: run.causedBy,
      commit: run.project?.commit,
      dirtyDigest: run.project?.dirtyDigest,
      traceId: run.traceId,
    }),
    edges: [
      ...link(['commit', run.project?.commit ?? ''], 'ran_as', ['pipeline_run', run.id]),
      ...splitEdges(run),
    ],
  };
};

/** What a pipeline run was made from, made, and took from earlier runs. */
export const pipelineRules: readonly LineageRule[] = [
  lineageRule(pipelineEvents.runRequested, ({ run }) => ofRun(run)),
  lineageRule(pipelineEvents.stepFinished, ({ pipelineRunId, step }) => ({
    edges: edgesOfStep(pipelineRunId, step),
  })),
  lineageRule(pipelineEvents.runSucceeded, ({ run }) => ofRun(run)),
  lineageRule(pipelineEvents.runFailed, ({ run }) => ofRun(run)),
  lineageRule(pipelineEvents.runCancelled, ({ run }) => ofRun(run)),
];
