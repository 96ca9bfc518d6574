import { join } from 'node:path';
import { type TestBroker, testBroker } from '@millrace/broker';
import { RegistryServiceService } from '@millrace/contracts/registry';
import { Conflict, ErrorCode, Exhausted, type MillraceError, NotFound } from '@millrace/errors';
import { openSqliteStore } from '@millrace/store';
import { request } from 'undici';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ServiceModule, StepHandler } from '../src/index.ts';
import { eventually, type Host, openHost } from './fixture.ts';
import { createSender, type Sender, trainer } from './steps-lab.ts';

let broker: TestBroker;
let host: Host;
let sender: Sender;
beforeAll(async () => {
  broker = await testBroker();
});
afterAll(() => broker.stop());
beforeEach(async () => {
  host = await openHost(broker.url);
  sender = createSender();
});
afterEach(() => host.stop());

let runs = 0;
/** Runs of all tests share one broker. */
const newRun = (): string => {
  runs += 1;
  return `run${runs}`;
};

const begun = (handler: StepHandler) => {
  const seen: string[] = [];
  const counting: StepHandler = (context) => {
    seen.push(context.command.pipelineRunId);
    return handler(context);
  };
  return { seen, module: trainer(counting) };
};

const untilAborted: StepHandler = ({ signal }) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

describe('steps of a service', () => {
  it('are taken from the bus and reported once however often the command comes', async () => {
    const { seen, module } = begun(async () => ({ outputs: [] }));
    await host.start(sender.module);
    await host.start(module);
    const run = newRun();
    for (const _ of [1, 2, 3]) await sender.send(run);
    const marker = newRun();
    await sender.send(marker);
    await sender.result(marker);
    await sender.result(run);
    expect(seen).toContain(run);
    expect((await sender.results()).filter(({ key }) => key.startsWith(`${run}.`))).toHaveLength(1);
  });

  it('are handed over by a service that stops, and done by the next', async () => {
    const first = begun(untilAborted);
    await host.start(sender.module);
    const stopping = await host.start(first.module);
    const run = newRun();
    await sender.send(run);
    await eventually(() => expect(first.seen).toEqual([run]));
    await stopping.stop();
    await host.start(begun(async () => ({ outputs: [] })).module);
    const event = await sender.result(run);
    expect(event.type).toContain('succeeded');
    expect((event.data as { result: { lease: number } }).result.lease).toBe(2);
  });

  it('end when their run is given up, also after a restart, until it is resumed', async () => {
    const { seen, module } = begun(untilAborted);
    await host.start(sender.module);
    const first = await host.start(module);
    const run = newRun();
    await sender.send(run);
    await eventually(() => expect(seen).toEqual([run]));
    await sender.cancel(run);
    expect((await sender.result(run)).data).toMatchObject({
      result: { error: { code: ErrorCode.cancelled } },
    });

    await first.stop();
    const later = begun(async () => ({ outputs: [] }));
    await host.start(later.module);
    await sender.send(run, { attempt: 2 });
    expect((await sender.result(run, 2)).data).toMatchObject({
      result: { error: { code: ErrorCode.cancelled } },
    });
    expect(later.seen).toEqual([]);

    await sender.resume(run);
    // The event and the command travel apart: what a resumed run sends may come a moment before.
    let attempt = 2;
    await eventually(async () => {
      attempt += 1;
      await sender.send(run, { attempt });
      expect((await sender.result(run, attempt)).type).toContain('succeeded');
    });
    expect(later.seen).toEqual([run]);
  });
});

describe('the HTTP listener', () => {
  const failing: ServiceModule = {
    name: 'registry',
    setup: async () => ({
      routes: (app) => {
        app.get('/conflict', async () => {
          throw new Conflict('somebody was faster', { hint: 'read again', details: { field: 'alias' } });
        });
        app.get('/full', async () => {
          throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
        });
        app.get('/defect', async () => {
          throw new TypeError('x is undefined');
        });
        app.post(
          '/checked',
          {
            schema: {
              body: { type: 'object', properties: { n: { type: 'integer' } }, additionalProperties: false },
            },
          },
          async () => ({}),
        );
      },
      readiness: async (): Promise<Record<string, string>> => (ready ? {} : { warehouse: 'is empty' }),
    }),
  };
  let ready = true;
  let base = '';
  beforeEach(async () => {
    ready = true;
    base = `http://127.0.0.1:${(await host.start(failing)).httpPort}`;
  });
  const call = async (path: string, options: Parameters<typeof request>[1] = {}) => {
    const answer = await request(`${base}${path}`, options);
    return { status: answer.statusCode, body: await answer.body.text(), headers: answer.headers };
  };
  const errorAt = async (path: string, options: Parameters<typeof request>[1] = {}) => {
    const { status, body } = await call(path, options);
    return { status, ...(JSON.parse(body) as { error: MillraceError }).error };
  };

  it('tells that it lives, and whether it can work', async () => {
    expect((await call('/health/live')).status).toBe(200);
    expect(await call('/health/ready')).toMatchObject({ status: 200, body: '{"status":"ok","problems":{}}' });
    ready = false;
    expect(await call('/health/ready')).toMatchObject({
      status: 503,
      body: '{"status":"degraded","problems":{"warehouse":"is empty"}}',
    });
  });

  it('gives metrics in the Prometheus text format', async () => {
    const { status, headers } = await call('/metrics');
    expect(status).toBe(200);
    expect(headers['content-type']).toContain('text/plain');
  });

  it('answers errors of the taxonomy with their status and all they say', async () => {
    expect(await errorAt('/conflict')).toEqual({
      status: 409,
      code: 'conflict',
      message: 'somebody was faster',
      hint: 'read again',
      details: { field: 'alias' },
    });
    expect(await errorAt('/full')).toMatchObject({ status: 507, code: new Exhausted('').code });
    expect(await errorAt('/defect')).toMatchObject({ status: 500, code: 'internal' });
    expect(await errorAt('/nowhere')).toMatchObject({ status: 404, code: new NotFound('').code });
  });

  it('answers a bad request with what is wrong, and where', async () => {
    const post = (body: string, type = 'application/json') =>
      errorAt('/checked', { method: 'POST', body, headers: { 'content-type': type } });
    expect(await post('{"n":')).toMatchObject({ status: 400, code: 'invalid' });
    expect(await post('{"n":"many"}')).toMatchObject({ status: 400, violations: [{ path: 'n' }] });
    expect(await post('{"m":1}')).toMatchObject({ status: 400, violations: [{ path: 'm' }] });
    expect(await post('a=b', 'application/x-unknown')).toMatchObject({ status: 400, code: 'invalid' });
    expect(await post(`{"n":"${'x'.repeat(17 * 1024 * 1024)}"}`)).toMatchObject({
      status: 400,
      code: 'invalid',
    });
  });
});

describe('a service that cannot start', () => {
  const failures: readonly [string, (steps: string[]) => ServiceModule][] = [
    ['in its setup', () => ({ name: 'registry', setup: () => Promise.reject(new Conflict('no')) })],
    [
      'with its background work',
      (steps) => ({
        name: 'registry',
        setup: async () => ({
          start: () => Promise.reject(new Conflict('no')),
          stop: async () => void steps.push('stopped'),
        }),
      }),
    ],
    [
      'with its routes',
      (steps) => ({
        name: 'registry',
        setup: async () => ({
          routes: () => {
            throw new Conflict('no');
          },
          stop: async () => void steps.push('stopped'),
        }),
      }),
    ],
  ];

  it.each(failures)('%s closes everything and can be started again', async (name, broken) => {
    const steps: string[] = [];
    await expect(host.start(broken(steps))).rejects.toThrow('no');
    if (name !== 'in its setup') expect(steps).toEqual(['stopped']);
    const service = await host.start({ name: 'registry', setup: async () => ({}) });
    expect((await request(`http://127.0.0.1:${service.httpPort}/health/ready`)).statusCode).toBe(200);
  });

  it('because its port is taken says so and leaves its store free', async () => {
    const other = await host.start({ name: 'ingest', setup: async () => ({}) });
    const taken = { MILLRACE_HTTP_PORT: String(other.httpPort) };
    const failing = host.start({ name: 'registry', setup: async () => ({}) }, taken);
    await expect(failing).rejects.toMatchObject({
      code: ErrorCode.failedPrecondition,
      hint: expect.stringContaining('MILLRACE_HTTP_PORT'),
    });
    const store = await openSqliteStore({
      path: join(host.dataDir, 'registry', 'store.sqlite'),
      service: 'registry',
    });
    await store.ping();
    await store.close();
  });

  it('goes on closing when one part fails to', async () => {
    const service = await host.start({
      name: 'registry',
      setup: async () => ({
        stop: () => {
          throw new Error('stuck');
        },
      }),
    });
    await service.stop();
    await expect(request(`http://127.0.0.1:${service.httpPort}/health/live`)).rejects.toThrow();
    await host.start({ name: 'registry', setup: async () => ({}) });
  });
});

describe('peers', () => {
  it('find each other by name while one of them is stopped and started elsewhere', async () => {
    const registry = (text: string): ServiceModule => ({
      name: 'registry',
      setup: async () => ({
        rpc: [
          {
            definition: RegistryServiceService as never,
            handlers: { getModel: () => Promise.reject(new NotFound(text)) },
          },
        ],
      }),
    });
    await host.start(sender.module);
    const first = await host.start(registry('first'));
    const client = sender.runtime().peer('registry', RegistryServiceService);
    await expect(client.getModel({ name: 'a' })).rejects.toThrow('first');
    await first.stop();
    await host.start(registry('second'));
    await expect(client.getModel({ name: 'a' })).rejects.toThrow('second');
  });
});
