import { Unavailable } from '@millrace/errors';
import type { HttpPeer, PassedHeaders } from '@millrace/service-kit';
import type { HookHandlerDoneFunction as Done, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/**
 * Of the connection to the data plane; a prediction is given up after the time. Far more connections than requests that
 * may wait for one model: one that hangs must not keep the others from being asked.
 */
export const predictionPeer = { connections: 256, timeoutMs: 30_000 };

const passed: PassedHeaders = {
  /** What the data plane reads; `millrace-unit` keeps a user with the same revision of a canary. */
  request: ['content-type', 'accept', 'millrace-unit'],
  /** `millrace-…` say who answered, in any protocol. */
  answer: ['content-type', 'retry-after', 'millrace-revision', 'millrace-model-version'],
};

const textOf = (
  headers: Readonly<Record<string, string | string[] | undefined>>,
  names: readonly string[],
): Record<string, string> =>
  Object.fromEntries(
    names
      .map((name) => [name, headers[name]] as const)
      .filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );

const unanswered = (cause: unknown): Unavailable =>
  new Unavailable('the deployment service does not answer', {
    cause,
    hint: 'Check that it is running: `millrace status`.',
  });

/**
 * Passes predictions on to the deployment service, which answers them on its own listener: where it runs in this process
 * it is handed the request itself, else it is asked over HTTP.
 */
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
      for (const url of ['/v2', '/v2/*', '/endpoints/:endpoint/*']) {
        routes.route({
          method: ['GET', 'POST'],
          url,
          config: { tracing: 'high_rate', permission: 'predict' },
          // Of the route, and so after those that decide who may come in.
          onRequest: (request, reply, done) => this.#handOver(request, reply, done),
          handler: (request, reply) => this.#send(request, reply),
        });
      }
    });
  }

  #handOver({ raw: request }: FastifyRequest, { raw: response }: FastifyReply, done: Done): void {
    const answered = this.#dataPlane.handOver(request, response, passed);
    if (answered === undefined) done();
    else answered.catch((thrown: unknown) => done(unanswered(thrown)));
  }

  async #send(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    try {
      const answer = await this.#dataPlane.request({
        method: request.method as 'GET' | 'POST',
        path: request.url,
        headers: textOf(request.headers, passed.request),
        body: (request.body as Buffer | undefined) ?? null,
      });
      return reply.code(answer.statusCode).headers(textOf(answer.headers, passed.answer)).send(answer.body);
    } catch (thrown) {
      throw unanswered(thrown);
    }
  }
}
