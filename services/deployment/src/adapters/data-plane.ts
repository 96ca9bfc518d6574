import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { PredictionAnswer, PredictionRequest } from '../application/predict.ts';
import type { ServedRevision, ServingTable } from '../application/serving-table.ts';
import { inferOutputs, modelMetadata, parseInferRequest, predictedValues } from './inference-protocol.ts';
import { parseInvocation } from './invocations.ts';

interface EndpointParams {
  Params: { endpoint: string };
}

/** Requests of the same unit (a user, a device) are answered by the same revision of a canary. */
const unitHeader = 'millrace-unit';

const unitOf = (request: FastifyRequest): { unit?: string } => {
  const unit = request.headers[unitHeader];
  return typeof unit === 'string' && unit !== '' ? { unit: unit.slice(0, 256) } : {};
};

/** Says in headers who answered, in any protocol. */
const withHeaders = (reply: FastifyReply, { revision }: PredictionAnswer): FastifyReply =>
  reply.headers({
    'millrace-revision': revision.number,
    'millrace-model-version': `${revision.model}/${revision.modelVersion}`,
  });

const highRate = { config: { tracing: 'high_rate' } } as const;

const versionOf = ({ number }: ServedRevision): string => String(number);

/** Prediction routes: the Open Inference Protocol v2 and MLflow's `/invocations`. */
export const registerDataPlane = (
  app: FastifyInstance,
  table: ServingTable,
  predict: (request: PredictionRequest) => Promise<PredictionAnswer>,
): void => {
  app.get('/v2', async () => ({ name: 'millrace', version: '2', extensions: [] }));
  app.get('/v2/health/live', async () => ({ live: true }));
  app.get('/v2/health/ready', async () => ({ ready: true }));
  app.get<EndpointParams>('/v2/models/:endpoint', async ({ params: { endpoint } }) => {
    const revision = table.first(endpoint);
    return modelMetadata(endpoint, [versionOf(revision)], revision.predictor.signature);
  });
  app.get<EndpointParams>('/v2/models/:endpoint/ready', async ({ params: { endpoint } }) => {
    table.first(endpoint);
    return { name: endpoint, ready: true };
  });
  app.post<EndpointParams>('/v2/models/:endpoint/infer', highRate, async (request, reply) => {
    const { endpoint } = request.params;
    const { signature } = table.first(endpoint).predictor;
    const { id, rows, outputs } = parseInferRequest(request.body, signature);
    const answer = await predict({ endpoint, rows, path: 'inputs', ...unitOf(request) });
    const { revision, prediction, predictionIds } = answer;
    return withHeaders(reply, answer).send({
      model_name: endpoint,
      model_version: versionOf(revision),
      ...(id === undefined ? {} : { id }),
      parameters: { prediction_ids: predictionIds },
      outputs: inferOutputs(prediction, revision.predictor.signature, outputs),
    });
  });
  app.get<EndpointParams>('/endpoints/:endpoint/ping', async ({ params: { endpoint } }) => {
    table.first(endpoint);
    return { status: 'ok' };
  });
  app.post<EndpointParams>('/endpoints/:endpoint/invocations', highRate, async (request, reply) => {
    const { endpoint } = request.params;
    const { signature } = table.first(endpoint).predictor;
    const answer = await predict({
      endpoint,
      ...parseInvocation(request.body, signature),
      ...unitOf(request),
    });
    const { prediction, predictionIds, revision } = answer;
    return withHeaders(reply, answer).send({
      predictions: predictedValues(prediction, revision.predictor.signature),
      ...(prediction.kind === 'classification' && prediction.probabilities !== undefined
        ? { probabilities: prediction.probabilities, classes: prediction.classes }
        : {}),
      prediction_ids: predictionIds,
      revision: revision.number,
      model_version: `${revision.model}/${revision.modelVersion}`,
    });
  });
};
