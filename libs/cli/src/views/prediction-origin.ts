import type { PredictionOrigin } from '@millrace/client';
import pc from 'picocolors';
import { short, time, word } from '../format.ts';
import { plain } from '../output.ts';

type Line = readonly [label: string, text: string];

const forgotten = pc.dim('no longer known');

const joined = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join(', ');

const answeredBy = ({ prediction, revision }: PredictionOrigin): Line => [
  'answered by',
  joined(
    `endpoint ${prediction.endpoint}`,
    prediction.revision === 0 ? 'revision not recorded' : `revision ${prediction.revision}`,
    revision === undefined ? forgotten : word(revision.state, 'REVISION_STATE'),
  ),
];

const modelLines = ({ modelVersion }: PredictionOrigin): readonly Line[] => {
  if (modelVersion === undefined) return [['model version', forgotten]];
  const { model, version, digest, registeredBy, registeredAt, approvals } = modelVersion;
  const approved = approvals.filter((approval) => approval.approved);
  return [
    ['model version', joined(`${model}/${version}`, digest)],
    ['registered', joined(time(registeredAt), registeredBy?.name)],
    ...approved.map(
      ({ actor, at, breakGlass }): Line => [
        'approved',
        joined(actor?.name, time(at), actor?.reason, breakGlass ? 'against the policy' : ''),
      ],
    ),
    ...(approved.length === 0 ? [['approved', 'by nobody'] as const] : []),
  ];
};

const gateLine = ({ report }: PredictionOrigin): Line => {
  if (report === undefined) return ['gates', forgotten];
  const passed = report.gates.filter((gate) => gate.passed).length;
  const verdict = word(report.verdict, 'VERDICT');
  return ['gates', joined(`${verdict}, ${passed} of ${report.gates.length} passed`, `report ${report.id}`)];
};

const runLines = ({ pipelineRun, trainingRun, modelVersion }: PredictionOrigin): readonly Line[] => [
  [
    'pipeline run',
    pipelineRun === undefined
      ? joined(modelVersion?.pipelineRunId, forgotten)
      : joined(
          pipelineRun.id,
          `${pipelineRun.project?.project} #${pipelineRun.number}`,
          pipelineRun.submittedBy?.name,
          time(pipelineRun.createdAt),
        ),
  ],
  ['training run', trainingRun === undefined ? forgotten : joined(trainingRun.id, trainingRun.name)],
];

const codeLine = ({ trainingRun, modelVersion }: PredictionOrigin): Line => {
  const commit = trainingRun?.codeCommit || modelVersion?.codeCommit || '';
  if (commit === '') return ['code', 'not in version control'];
  const dirty = trainingRun?.codeDirtyDigest ?? '';
  const state =
    trainingRun === undefined ? undefined : dirty === '' ? 'clean' : `changed since, ${short(dirty)}`;
  return ['code', joined(`commit ${commit}`, state)];
};

const dataLines = ({ datasetVersion }: PredictionOrigin): readonly Line[] => {
  if (datasetVersion === undefined) return [['data', forgotten]];
  const { id, rowCount, digest, sources } = datasetVersion;
  return [
    ['data', joined(id, `${rowCount} rows`, digest)],
    ...sources.map(({ location, digest: source }): Line => ['source', joined(location, source)]),
  ];
};

/** A prediction and what it came from, as lines to read. */
export const predictionOrigin = (origin: PredictionOrigin): readonly string[] => {
  const { prediction, pipelineRun } = origin;
  const lines: readonly Line[] = [
    ['prediction', joined(prediction.id, time(prediction.time))],
    answeredBy(origin),
    ...modelLines(origin),
    gateLine(origin),
    ...runLines(origin),
    codeLine(origin),
    ...dataLines(origin),
    ['trace', prediction.traceId === '' ? 'none' : `${prediction.traceId} (of the request)`],
    ['', pipelineRun === undefined ? '' : `${pipelineRun.traceId} (of the run)`],
  ];
  return lines
    .filter(([, text]) => text !== '')
    .map(([label, text]) => `${pc.cyan(label.padEnd(14))} ${plain(text)}`);
};
