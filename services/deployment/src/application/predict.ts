import type { Scalar } from '@millrace/contracts/deployment';
import { asMillraceError, ErrorCode, Internal, Invalid, type MillraceError } from '@millrace/errors';
import type { Prediction, Row } from '@millrace/modeling';
import { newId } from '@millrace/service-kit';
import { currentTraceId, failSpan, inSpan, isRecorded, type SpanDetails } from '@millrace/telemetry';
import { type Span, trace } from '@opentelemetry/api';
import type { InferenceLog } from './inference-log.ts';
import { checkAnswer } from './model-loader.ts';
import type { ServedRevision, ServingTable } from './serving-table.ts';

export interface PredictionRequest {
  readonly endpoint: string;
  readonly rows: readonly Row[];
  /** Where the rows stand in the request, for errors. */
  readonly path: string;
  readonly unit?: string;
}

export interface PredictionAnswer {
  readonly prediction: Prediction;
  /** One per row; labels join on them. */
  readonly predictionIds: readonly string[];
  readonly revision: ServedRevision;
}

/** Rows of one request. */
const maxRows = 10_000;

export interface PredictDependencies {
  readonly table: ServingTable;
  readonly log: InferenceLog;
  readonly now: () => number;
  /** Called for each request, after it was counted; `served` when the caller got this revision's answer. */
  readonly onAnswered: (endpoint: string, revision: number, served: boolean) => void;
}

/** Answers prediction requests: chooses a revision, checks the input, predicts, records. */
export const predictor = (dependencies: PredictDependencies) => {
  const { table, log, now, onAnswered } = dependencies;

  const answer = async (revision: ServedRevision, request: PredictionRequest): Promise<Prediction> => {
    const table = revision.predictor.tableOf(request.rows, { path: request.path });
    const prediction = await revision.predictor.predict(table).catch((thrown: unknown) => {
      throw asModelFailure(thrown);
    });
    checkAnswer(prediction, request.rows.length);
    return prediction;
  };

  const record = (
    request: PredictionRequest,
    revision: ServedRevision,
    ids: readonly string[],
    started: number,
    result: Prediction | MillraceError,
    shadow: boolean,
  ): void => {
    const latencyMs = performance.now() - started;
    const failed = result instanceof Error;
    revision.stats.add(latencyMs, failed);
    const traceId = currentTraceId() ?? '';
    const time = new Date(now()).toISOString();
    log.add(
      request.endpoint,
      request.rows.map((row, i) => ({
        predictionId: ids[i] ?? '',
        revision: revision.number,
        time,
        features: featuresOf(revision, row),
        prediction: failed ? undefined : predictionOf(result, i),
        probabilities: failed ? {} : probabilitiesOf(result, i),
        latencyMs,
        error: failed ? result.code : '',
        shadow,
        traceId,
      })),
    );
    onAnswered(request.endpoint, revision.number, !failed && !shadow);
  };

  const copyTo = (shadow: ServedRevision, request: PredictionRequest, ids: readonly string[]): void => {
    const started = performance.now();
    answer(shadow, request).then(
      (prediction) => record(request, shadow, ids, started, prediction, true),
      (thrown: unknown) => record(request, shadow, ids, started, asMillraceError(thrown), true),
    );
  };

  const predict = async (request: PredictionRequest, span: Span): Promise<PredictionAnswer> => {
    if (request.rows.length === 0) throw Invalid.field(request.path, 'has no rows');
    if (request.rows.length > maxRows) throw Invalid.field(request.path, `has more than ${maxRows} rows`);
    const started = performance.now();
    const { revision, shadows } = table.choose(request.endpoint, request.unit);
    const ids = request.rows.map(() => newId('pred'));
    describe(span, revision, ids);
    for (const shadow of shadows) copyTo(shadow, request, ids);
    try {
      const prediction = await answer(revision, request);
      record(request, revision, ids, started, prediction, false);
      return { prediction, predictionIds: ids, revision };
    } catch (thrown) {
      const error = asMillraceError(thrown);
      // A wrong input is the caller's error: it says nothing about the model.
      if (error instanceof Invalid) throw error;
      record(request, revision, ids, started, error, false);
      throw error.code === 'internal'
        ? new Internal(`the model failed: ${error.message}`, { cause: error })
        : error;
    }
  };

  return (request: PredictionRequest): Promise<PredictionAnswer> => {
    const active = trace.getActiveSpan();
    // Where it was decided that the trace is not recorded, another span of it would be made for nobody.
    if (active !== undefined && !isRecorded(active.spanContext())) return predict(request, active);
    return inSpan(`predict ${request.endpoint}`, spanDetails(request), (span) => predict(request, span));
  };
};

/** The input was found right before: what the model's own code refuses or answers wrongly is the model's failure. */
const asModelFailure = (thrown: unknown): unknown => {
  const { code, message } = asMillraceError(thrown);
  return code === ErrorCode.invalid ? new Internal(message, { cause: thrown }) : thrown;
};

const spanDetails = ({ endpoint, rows }: PredictionRequest): SpanDetails => ({
  attributes: { 'millrace.endpoint.name': endpoint, 'millrace.prediction.count': rows.length },
  onError: (span, thrown) => {
    const { code, message } = asMillraceError(thrown);
    // What is wrong with an input may quote it, and is no failure of ours.
    if (code !== ErrorCode.invalid) failSpan(span, code, message);
  },
});

/** Who answers, and a link to the deployment of that revision: from there the trace of the run tells the rest. */
const describe = (span: Span, revision: ServedRevision, ids: readonly string[]): void => {
  if (!span.isRecording()) return;
  span.setAttributes({
    'millrace.endpoint.revision': revision.number,
    'millrace.model.name': revision.model,
    'millrace.model.version': revision.modelVersion,
    'millrace.prediction.id': ids[0] ?? '',
  });
  if (revision.deployedBy !== undefined) span.addLink({ context: revision.deployedBy });
};

const featuresOf = (revision: ServedRevision, row: Row): Record<string, Scalar> => {
  const features: Record<string, Scalar> = {};
  for (const { name } of revision.predictor.signature.inputs) features[name] = scalar(row[name]);
  return features;
};

const scalar = (value: unknown): Scalar => {
  if (typeof value === 'number') return { kind: { $case: 'number', value } };
  if (typeof value === 'string') return { kind: { $case: 'text', value } };
  if (typeof value === 'boolean') return { kind: { $case: 'flag', value } };
  return { kind: undefined };
};

const predictionOf = (prediction: Prediction, i: number): Scalar =>
  scalar(prediction.kind === 'regression' ? prediction.values[i] : prediction.labels[i]);

const probabilitiesOf = (prediction: Prediction, i: number): Record<string, number> => {
  if (prediction.kind === 'regression' || prediction.probabilities === undefined) return {};
  const row = prediction.probabilities[i] ?? [];
  return Object.fromEntries(prediction.classes.map((name, column) => [name, row[column] ?? 0]));
};
