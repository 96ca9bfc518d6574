import { messageOf } from '@millrace/errors';
import { apiPrefix } from '@millrace/rest';
import { type AddressBook, serviceNames } from '@millrace/service-kit';
import type { FastifyInstance } from 'fastify';
import { request } from 'undici';

interface Readiness {
  readonly ready: boolean;
  /** By dependency. */
  readonly problems: Readonly<Record<string, string>>;
}

const timeoutMs = 2_000;

/** `GET /status`: readiness of every service, as each says it of itself. */
export const registerStatusRoute = (app: FastifyInstance, addresses: AddressBook): void => {
  const readiness = async (address: string): Promise<Readiness> => {
    try {
      const answer = await request(`http://${address}/health/ready`, {
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      });
      const body = (await answer.body.json()) as { problems: Record<string, string> };
      return { ready: answer.statusCode === 200, problems: body.problems };
    } catch (thrown) {
      return { ready: false, problems: { service: messageOf(thrown) } };
    }
  };
  app.get(`${apiPrefix}/status`, async () => {
    const others = serviceNames.filter((name) => name !== 'gateway');
    const states = await Promise.all(
      others.map(async (name) => [name, await readiness(addresses(name, 'http'))] as const),
    );
    return { services: Object.fromEntries(states) };
  });
};
