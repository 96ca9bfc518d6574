import { messageOf } from '@millrace/errors';
import { apiPrefix } from '@millrace/rest';
import { type HttpPeer, type Runtime, serviceNames } from '@millrace/service-kit';
import type { FastifyInstance } from 'fastify';

interface Readiness {
  readonly ready: boolean;
  /** By dependency. */
  readonly problems: Readonly<Record<string, string>>;
}

const timeoutMs = 2_000;
const connections = 2;

/** `GET /status`: readiness of every service, as each says it of itself. */
export const registerStatusRoute = (app: FastifyInstance, httpPeer: Runtime['httpPeer']): void => {
  const others = serviceNames.filter((name) => name !== 'gateway');
  const peers = others.map((name) => [name, httpPeer(name, { connections, timeoutMs })] as const);
  const readiness = async (peer: HttpPeer): Promise<Readiness> => {
    try {
      const answer = await peer.request({ method: 'GET', path: '/health/ready' });
      const body = (await answer.body.json()) as { problems: Record<string, string> };
      return { ready: answer.statusCode === 200, problems: body.problems };
    } catch (thrown) {
      return { ready: false, problems: { service: messageOf(thrown) } };
    }
  };
  app.get(`${apiPrefix}/status`, { config: { permission: 'read' } }, async () => {
    const states = await Promise.all(
      peers.map(async ([name, peer]) => [name, await readiness(peer)] as const),
    );
    return { services: Object.fromEntries(states) };
  });
};
