import { evaluationEvents, type Report } from '@millrace/contracts/evaluation';
import { ingestEvents } from '@millrace/contracts/ingest';
import { type Run, trainingEvents } from '@millrace/contracts/training';
import { describeNode, type GraphChange, link } from './graph.ts';
import { type LineageRule, lineageRule } from './rule.ts';

/** A finished search keeps its best trial as the run itself; the trials would only bury the graph. */
const isTrial = (run: Run): boolean => run.parentRunId !== '';

const ofRun = (run: Run | undefined): GraphChange => {
  if (run === undefined || isTrial(run)) return {};
  return {
    nodes: describeNode('training_run', run.id, {
      name: run.name,
      status: run.status.replace('RUN_STATUS_', ''),
      seed: run.seed,
      commit: run.codeCommit,
      dirtyDigest: run.codeDirtyDigest,
    }),
    edges: [
      ...link(['dataset_version', run.datasetVersionId], 'trained', ['training_run', run.id]),
      ...link(['commit', run.codeCommit], 'ran_as', ['training_run', run.id]),
      ...link(['pipeline_run', run.pipelineRunId], 'produced', ['training_run', run.id]),
      ...link(['training_run', run.id], 'produced', ['model', run.modelDigest]),
    ],
  };
};

const ofReport = (report: Report | undefined): GraphChange => {
  if (report === undefined) return {};
  const node = ['evaluation_report', report.id] as const;
  return {
    nodes: describeNode(...node, {
      verdict: report.verdict.replace('VERDICT_', ''),
      champion: report.champion,
      createdAt: report.createdAt,
    }),
    edges: [
      ...link(['model', report.modelDigest], 'evaluated', node),
      ...link(['dataset_version', report.datasetVersionId], 'split_into', ['split', report.dataDigest]),
      ...link(['split', report.dataDigest], 'evaluated', node),
      ...link(['pipeline_run', report.pipelineRunId], 'produced', node),
    ],
  };
};

/** From data to a judged model. */
export const trainingRules: readonly LineageRule[] = [
  lineageRule(ingestEvents.datasetVersionCreated, ({ datasetVersion, project }) => {
    if (datasetVersion === undefined) return {};
    const node = ['dataset_version', datasetVersion.id] as const;
    return {
      nodes: [
        ...describeNode(...node, {
          dataset: datasetVersion.dataset,
          version: datasetVersion.version,
          digest: datasetVersion.digest,
          rows: datasetVersion.rowCount,
          project,
          createdAt: datasetVersion.createdAt,
        }),
        ...datasetVersion.sources.flatMap(({ location, digest, size }) =>
          describeNode('source', digest, { location, size }),
        ),
      ],
      edges: [
        ...datasetVersion.sources.flatMap(({ digest }) => link(['source', digest], 'ingested_as', node)),
        ...link(['pipeline_run', datasetVersion.pipelineRunId], 'produced', node),
      ],
    };
  }),
  lineageRule(trainingEvents.runStarted, ({ run }) => ofRun(run)),
  lineageRule(trainingEvents.runFinished, ({ run }) => ofRun(run)),
  lineageRule(trainingEvents.runFailed, ({ run }) => ofRun(run)),
  lineageRule(evaluationEvents.reportPassed, ({ report }) => ofReport(report)),
  lineageRule(evaluationEvents.reportFailed, ({ report }) => ofReport(report)),
];
