import { apiPrefix } from '@millrace/rest';
import type { FastifyInstance } from 'fastify';
import { type Owners, predictionOrigin } from '../application/prediction-origin.ts';

/** One query from the id of a prediction to run, data, commit and approver. */
export const registerPredictionOriginRoute = (app: FastifyInstance, owners: Owners): void => {
  app.get<{ Params: { id: string } }>(
    `${apiPrefix}/predictions/:id/origin`,
    { config: { permission: 'read' } },
    async ({ params }) => predictionOrigin(owners, params.id),
  );
};
