import { type Bus, listDeadLetters, replayDeadLetter, showDeadLetter } from '@millrace/bus';
import { apiPrefix } from '@millrace/rest';
import type { FastifyInstance } from 'fastify';

interface SequenceParams {
  Params: { sequence: number };
}

const params = {
  type: 'object',
  properties: { sequence: { type: 'integer', minimum: 1 } },
  required: ['sequence'],
};

/** Lists, shows and replays what could not be handled. */
export const registerDeadLetterRoutes = (app: FastifyInstance, bus: Bus): void => {
  const path = `${apiPrefix}/dead-letters`;
  app.get<{ Querystring: { limit: number } }>(
    path,
    {
      config: { permission: 'read' },
      schema: {
        querystring: {
          type: 'object',
          properties: { limit: { type: 'integer', minimum: 1, maximum: 1000, default: 100 } },
          additionalProperties: false,
        },
      },
    },
    async (request) => ({ deadLetters: await listDeadLetters(bus, { limit: request.query.limit }) }),
  );
  app.get<SequenceParams>(
    `${path}/:sequence`,
    { schema: { params }, config: { permission: 'read' } },
    async (request) => ({
      deadLetter: await showDeadLetter(bus, request.params.sequence),
    }),
  );
  app.post<SequenceParams>(
    `${path}/:sequence/replay`,
    { schema: { params }, config: { permission: 'administer' } },
    async (request) => ({
      deadLetter: await replayDeadLetter(bus, request.params.sequence),
    }),
  );
};
