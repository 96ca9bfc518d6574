import { Unavailable } from '@millrace/errors';
import type { HttpPeer } from '@millrace/service-kit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/**
 * Of the connection to the data plane; a prediction is given up after the time. Far more connections than requests that
 * may wait for one model: one that hangs must not keep the others from being asked.
 */
export const predictionPeer = { connections: 256, timeoutMs: 30_000 };

/** Headers that the data plane reads; `millrace-unit` keeps a user with the same revision of a canary. */
const passedOn = ['content-type', 'accept', 'millrace-unit'] as const;
/** Headers of its answers: the last two say who answered, in any protocol. */
const passedBack = ['content-type', 'millrace-revision', 'millrace-model-version'] as const;

const textOf = (
  headers: Readonly<Record<string, string | string[] | undefined>>,
  names: readonly string[],
): Record<string, string> =>
  Object.fromEntries(
    names
      .map((name) => [name, headers[name]] as const)
      .filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );

/** Passes predictions on to the deployment service, which answers them on its own listener. */
export class PredictionProxy {
  readonly #dataPlane: HttpPeer;

  constructor(dataPlane: HttpPeer) {
    this.#dataPlane = dataPlane;
  }

  async register(app: FastifyInstance): Promise<void> {
    await app.register(async (routes) => {
      // The body is the data plane's to read: it goes through as it came.
      routes.removeAllContentTypeParsers();
      routes.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
      const pass = (request: FastifyRequest, reply: FastifyReply) => this.#pass(request, reply);
      for (const url of ['/v2', '/v2/*', '/endpoints/:endpoint/*']) {
        routes.route({
          method: ['GET', 'POST'],
          url,
          config: { tracing: 'high_rate', permission: 'predict' },
          handler: pass,
        });
      }
    });
  }

  async #pass(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    try {
      const answer = await this.#dataPlane.request({
        method: request.method as 'GET' | 'POST',
        path: request.url,
        headers: textOf(request.headers, passedOn),
        body: (request.body as Buffer | undefined) ?? null,
      });
      return reply.code(answer.statusCode).headers(textOf(answer.headers, passedBack)).send(answer.body);
    } catch (thrown) {
      throw new Unavailable('the deployment service does not answer', {
        cause: thrown,
        hint: 'Check that it is running: `millrace status`.',
      });
    }
  }
}
