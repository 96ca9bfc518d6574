import { Unavailable } from '@millrace/errors';
import { activeTraceHeaders } from '@millrace/telemetry';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Pool } from 'undici';

/** Connections to the data plane; each carries one prediction at a time. */
const connections = 64;
/** Milliseconds until a prediction is given up. */
const timeoutMs = 30_000;

/** Passes predictions on to the deployment service, which answers them on its own listener. */
export class PredictionProxy {
  readonly #address: () => string;
  #pool: { readonly origin: string; readonly pool: Pool } | undefined;

  constructor(address: () => string) {
    this.#address = address;
  }

  async register(app: FastifyInstance): Promise<void> {
    await app.register(async (routes) => {
      // The body is the data plane's to read: it goes through as it came.
      routes.removeAllContentTypeParsers();
      routes.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
      const pass = (request: FastifyRequest, reply: FastifyReply) => this.#pass(request, reply);
      for (const url of ['/v2', '/v2/*', '/endpoints/:endpoint/*']) {
        routes.route({ method: ['GET', 'POST'], url, handler: pass });
      }
    });
  }

  async close(): Promise<void> {
    await this.#pool?.pool.close();
  }

  #current(): Pool {
    const origin = `http://${this.#address()}`;
    if (this.#pool?.origin !== origin) {
      void this.#pool?.pool.close();
      this.#pool = { origin, pool: new Pool(origin, { connections, headersTimeout: timeoutMs }) };
    }
    return this.#pool.pool;
  }

  async #pass(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { 'content-type': contentType, accept, 'millrace-user': user } = request.headers;
    const headers = Object.entries({
      'content-type': contentType,
      accept,
      'millrace-user': user,
      ...activeTraceHeaders(),
    }).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
    try {
      const answer = await this.#current().request({
        method: request.method as 'GET' | 'POST',
        path: request.url,
        headers: Object.fromEntries(headers),
        body: (request.body as Buffer | undefined) ?? null,
      });
      reply.code(answer.statusCode);
      const type = answer.headers['content-type'];
      if (typeof type === 'string') reply.header('content-type', type);
      return reply.send(answer.body);
    } catch (thrown) {
      throw new Unavailable('the deployment service does not answer', {
        cause: thrown,
        hint: 'Check that it is running: `millrace status`.',
      });
    }
  }
}
