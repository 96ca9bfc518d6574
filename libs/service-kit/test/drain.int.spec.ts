import { Agent, get, type IncomingMessage } from 'node:http';
import { createLogger } from '@millrace/telemetry';
import { afterEach, expect, it } from 'vitest';
import { type HttpServer, startHttpServer } from '../src/http-server.ts';

let server: HttpServer;
const agents: Agent[] = [];
afterEach(async () => {
  for (const agent of agents.splice(0)) agent.destroy();
  await server.stop();
});

const start = async (answer: Promise<void>, started?: Promise<void>, reached = () => {}): Promise<void> => {
  server = await startHttpServer({
    service: 'registry',
    host: '127.0.0.1',
    port: 0,
    log: createLogger('silent'),
    readiness: async () => ({}),
    ...(started === undefined ? {} : { started }),
    routes: (app) => {
      app.get('/quick', async () => 'quick');
      app.get('/slow', async () => {
        reached();
        await answer;
        return 'slow';
      });
    },
  });
};

const keptConnection = (): Agent => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agents.push(agent);
  return agent;
};

const ask = (path: string, agent: Agent): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port: server.port, path, agent }, (response) => {
      response.resume();
      response.once('end', () => resolve(response));
    }).once('error', reject);
  });

it('a listener that drains answers what is under way and what comes on open connections, and takes no others', async () => {
  const answer = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  await start(answer.promise, undefined, reached.resolve);
  const [busy, idle] = [keptConnection(), keptConnection()];
  expect((await ask('/quick', idle)).headers.connection).toBe('keep-alive');
  const slow = ask('/slow', busy);
  await reached.promise;
  await ask('/quick', idle);

  let drained = false;
  const draining = server.drain().then(() => {
    drained = true;
  });
  const last = await ask('/quick', idle);
  expect([last.statusCode, last.headers.connection]).toEqual([200, 'close']);
  await expect(ask('/quick', keptConnection())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(drained).toBe(false);
  answer.resolve();
  const late = await slow;
  expect([late.statusCode, late.headers.connection]).toEqual([200, 'close']);
  await draining;
});

it('requests but health checks wait until the service has started', async () => {
  const started = Promise.withResolvers<void>();
  await start(Promise.resolve(), started.promise);
  let answered = false;
  const waiting = ask('/quick', keptConnection()).then((response) => {
    answered = true;
    return response;
  });
  expect((await ask('/health/ready', keptConnection())).statusCode).toBe(200);
  expect(answered).toBe(false);
  started.resolve();
  expect((await waiting).statusCode).toBe(200);
});
