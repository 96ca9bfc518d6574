import {
  DeploymentServiceService,
  ListRevisionsRequest,
  type Revision,
} from '@millrace/contracts/deployment';
import { EvaluationServiceService, GetReportRequest, type Report } from '@millrace/contracts/evaluation';
import {
  DatasetServiceService,
  type DatasetVersion,
  GetDatasetVersionRequest,
} from '@millrace/contracts/ingest';
import {
  GetPredictionRequest,
  MonitoringServiceService,
  type Prediction,
} from '@millrace/contracts/monitoring';
import {
  GetRunRequest as GetPipelineRunRequest,
  type Run as PipelineRun,
  PipelineServiceService,
} from '@millrace/contracts/pipeline';
import {
  GetModelVersionRequest,
  type ModelVersion,
  RegistryServiceService,
} from '@millrace/contracts/registry';
import {
  GetRunRequest as GetTrainingRunRequest,
  TrackingServiceService,
  type Run as TrainingRun,
} from '@millrace/contracts/training';
import { asMillraceError, ErrorCode, Internal } from '@millrace/errors';
import type { RpcClient, Runtime } from '@millrace/service-kit';

/** The owners of what a prediction came from. */
export interface Owners {
  readonly monitoring: RpcClient<typeof MonitoringServiceService>;
  readonly deployment: RpcClient<typeof DeploymentServiceService>;
  readonly registry: RpcClient<typeof RegistryServiceService>;
  readonly evaluation: RpcClient<typeof EvaluationServiceService>;
  readonly pipeline: RpcClient<typeof PipelineServiceService>;
  readonly training: RpcClient<typeof TrackingServiceService>;
  readonly ingest: RpcClient<typeof DatasetServiceService>;
}

export const ownersOf = (peer: Runtime['peer']): Owners => ({
  monitoring: peer('monitoring', MonitoringServiceService),
  deployment: peer('deployment', DeploymentServiceService),
  registry: peer('registry', RegistryServiceService),
  evaluation: peer('evaluation', EvaluationServiceService),
  pipeline: peer('pipeline', PipelineServiceService),
  training: peer('training', TrackingServiceService),
  ingest: peer('ingest', DatasetServiceService),
});

/** A prediction and everything behind it. What its owner does not know any more is absent. */
export interface PredictionOrigin {
  readonly prediction: Prediction;
  readonly revision?: Revision | undefined;
  readonly modelVersion?: ModelVersion | undefined;
  /** The evaluation that the gates were decided on. */
  readonly report?: Report | undefined;
  readonly pipelineRun?: PipelineRun | undefined;
  readonly trainingRun?: TrainingRun | undefined;
  readonly datasetVersion?: DatasetVersion | undefined;
}

const unlessForgotten = async <T>(ask: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await ask();
  } catch (thrown) {
    if (asMillraceError(thrown).code === ErrorCode.notFound) return undefined;
    throw thrown;
  }
};

/** What an id leads to; nothing without an id. */
const of = <T>(id: string | undefined, ask: (id: string) => Promise<T>): Promise<T | undefined> =>
  id === undefined || id === '' ? Promise.resolve(undefined) : unlessForgotten(() => ask(id));

const revisionOf = async (
  { deployment }: Owners,
  { endpoint, revision }: Prediction,
): Promise<Revision | undefined> => {
  const answer = await unlessForgotten(() =>
    deployment.listRevisions(ListRevisionsRequest.fromPartial({ endpoint, page: { limit: 1_000 } })),
  );
  return answer?.revisions.find(({ number }) => number === revision);
};

const modelVersionOf = async (
  { registry }: Owners,
  revision: Revision | undefined,
): Promise<ModelVersion | undefined> => {
  if (revision === undefined) return undefined;
  const { model, modelVersion: version } = revision;
  const request = GetModelVersionRequest.fromPartial({ model, version });
  return (await unlessForgotten(() => registry.getModelVersion(request)))?.modelVersion;
};

/**
 * Follows a prediction back to the revision that answered, its model version with approvals and gates, the runs that
 * made it, the data and the code.
 *
 * @throws Invalid on what is no id of a prediction, NotFound when the prediction is not kept (any more)
 */
export const predictionOrigin = async (owners: Owners, id: string): Promise<PredictionOrigin> => {
  const { prediction } = await owners.monitoring.getPrediction(GetPredictionRequest.fromPartial({ id }));
  if (prediction === undefined) throw new Internal('monitoring answered without a prediction');
  const revision = await revisionOf(owners, prediction);
  const modelVersion = await modelVersionOf(owners, revision);
  const { evaluation, pipeline, training, ingest } = owners;
  const [report, pipelineRun, trainingRun, datasetVersion] = await Promise.all([
    of(
      modelVersion?.evaluationReportId,
      async (key) => (await evaluation.getReport(GetReportRequest.fromPartial({ id: key }))).report,
    ),
    of(
      modelVersion?.pipelineRunId,
      async (key) => (await pipeline.getRun(GetPipelineRunRequest.fromPartial({ id: key }))).run,
    ),
    of(
      modelVersion?.trainingRunId,
      async (key) => (await training.getRun(GetTrainingRunRequest.fromPartial({ id: key }))).run,
    ),
    of(
      modelVersion?.datasetVersionId,
      async (key) =>
        (await ingest.getDatasetVersion(GetDatasetVersionRequest.fromPartial({ id: key }))).datasetVersion,
    ),
  ]);
  return { prediction, revision, modelVersion, report, pipelineRun, trainingRun, datasetVersion };
};
