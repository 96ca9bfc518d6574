import { type Bus, declaredConsumers, inspectBus, streams } from '@millrace/bus';
import { messageOf, Unavailable } from '@millrace/errors';
import { clockSkewMs, type Diagnosis, type ServiceReport } from '@millrace/installation';
import { apiPrefix } from '@millrace/rest';
import { type HttpPeer, type Runtime, selfReport, serviceNames } from '@millrace/service-kit';
import type { FastifyInstance } from 'fastify';
import type { Tokens } from '../application/tokens.ts';

/** A service on a machine that is just starting everything may take its time. */
const timeoutMs = 15_000;
const connections = 1;

/** Consumers that are there only where something is set up. */
const optionalConsumers = new Set(['bridge-kafka']);

/** `GET /diagnosis`: what every service says of itself, the broker's streams and consumers, and whose clock differs. */
export const registerDiagnosisRoute = (app: FastifyInstance, runtime: Runtime, tokens: Tokens): void => {
  const { httpPeer, now, bus, settings } = runtime;
  const others = serviceNames.filter((name) => name !== 'gateway');
  const peers = others.map((name) => [name, httpPeer(name, { connections, timeoutMs })] as const);
  const ask = async (peer: HttpPeer): Promise<Diagnosis['services'][string]> => {
    const asked = now();
    try {
      const answer = await peer.request({ method: 'GET', path: '/diagnosis' });
      if (answer.statusCode !== 200) throw new Unavailable(`it answered ${answer.statusCode}`);
      const report = (await answer.body.json()) as ServiceReport;
      return { report, skewMs: clockSkewMs(Date.parse(report.time), asked, now()) };
    } catch (thrown) {
      return { problem: messageOf(thrown) };
    }
  };
  app.get(
    `${apiPrefix}/diagnosis`,
    { config: { permission: 'administer' } },
    async (): Promise<Diagnosis> => {
      const own = { report: await selfReport(runtime, {}), skewMs: 0 };
      const [asked, broker] = await Promise.all([
        Promise.all(peers.map(async ([name, peer]) => [name, await ask(peer)] as const)),
        diagnoseBroker(bus, settings.stepLeaseMs, now),
      ]);
      return {
        time: new Date(now()).toISOString(),
        services: { ...Object.fromEntries(asked), gateway: own },
        broker,
        access: { open: await tokens.isOpen(), onLoopback: tokens.onLoopback },
      };
    },
  );
};

const diagnoseBroker = async (
  bus: Bus,
  stepLeaseMs: number,
  now: () => number,
): Promise<Diagnosis['broker']> => {
  try {
    if (!bus.status().connected) throw new Unavailable('not connected to NATS');
    const expected = declaredConsumers({ stepLeaseMs }).flatMap(({ stream, declaration }) =>
      stream === streams.exhausted || optionalConsumers.has(declaration.durable_name)
        ? []
        : [{ stream, name: declaration.durable_name }],
    );
    const report = await inspectBus(bus, { expected });
    return {
      version: report.server.version,
      skewMs: await skewOf(bus, now),
      streams: report.streams.map(({ name, state, problem, replicas }) => ({
        name,
        messages: state?.messages ?? 0,
        ...(problem === undefined ? {} : { problem }),
        ...(replicas === undefined ? {} : { replicas }),
      })),
      consumers: report.consumers.map(({ stream, name, pending, unacknowledged, stalledMs, problem }) => ({
        stream,
        name,
        pending,
        unacknowledged,
        stalledMs,
        ...(problem === undefined ? {} : { problem }),
      })),
    };
  } catch (thrown) {
    return { problem: messageOf(thrown) };
  }
};

/** How far the broker's clock is off ours, which it tells with what it knows of any stream; 0 when it has none. */
const skewOf = async ({ internals }: Bus, now: () => number): Promise<number> => {
  for (const name of Object.values(streams)) {
    const asked = now();
    const info = await internals.jsm.streams.info(name).catch(() => undefined);
    if (info?.ts !== undefined) return clockSkewMs(Date.parse(String(info.ts)), asked, now());
  }
  return 0;
};
