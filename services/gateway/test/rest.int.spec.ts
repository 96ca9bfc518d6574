import { NotFound } from '@millrace/errors';
import { apiPrefix, pathParameters, rpcContract, rpcRoutes } from '@millrace/rest';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, Lab } from './fixture.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
});
afterAll(() => lab.stop());
beforeEach(() => {
  lab.asked.length = 0;
  lab.answers.clear();
});

/** The route's address with a value for each parameter: `7` is a name and a number. */
const addressOf = (path: string) =>
  `${apiPrefix}${pathParameters(path).reduce((text, name) => text.replace(`:${name}`, '7'), path)}`;

/** The gateway's own RPCs are answered by itself; see tokens.int.spec.ts. */
const routesToOthers = rpcRoutes.filter(({ service }) => service !== 'gateway');

describe('every route', () => {
  it.each(routesToOthers.map((route) => [`${route.method} ${route.path}`, route] as const))(
    '%s asks its service and answers with its message',
    async (_, route) => {
      const { schema } = rpcContract(route).request;
      const withBody = route.method === 'POST' || route.method === 'PUT';
      const answer = await lab.call(route.method, addressOf(route.path), withBody ? {} : undefined, {
        'millrace-user': 'ada',
      });
      expect([answer.status, answer.text]).toEqual([200, expect.stringMatching(/^\{/)]);
      const [asked] = lab.asked;
      expect(asked?.rpc).toBe(`${route.service}.${route.rpc}`);
      for (const name of pathParameters(route.path)) expect(String(asked?.request[name])).toBe('7');
      if (schema.properties?.actor !== undefined)
        expect(asked?.request.actor).toEqual({ name: 'user:ada', reason: '' });
    },
  );

  it.each(rpcRoutes.map((route) => [`${route.method} ${route.path}`, route] as const))(
    '%s refuses a field that it does not have, by name',
    async (_, { method, path }) => {
      const query = await lab.call(
        method,
        `${addressOf(path)}?bogus=1`,
        method === 'POST' || method === 'PUT' ? {} : undefined,
      );
      expect([query.status, query.body.error.violations[0].path]).toEqual([400, 'bogus']);
      if (method === 'POST' || method === 'PUT') {
        const body = await lab.call(method, addressOf(path), { bogus: 1 });
        expect([body.status, body.body.error.violations[0].path]).toEqual([400, 'bogus']);
      }
      expect(lab.asked).toEqual([]);
    },
  );
});

describe('a request', () => {
  it('brings numbers, pages, and the reason from a query as what they are', async () => {
    await lab.call('GET', `${apiPrefix}/models?limit=5&cursor=abc`);
    expect(lab.asked[0]?.request.page).toEqual({ limit: 5, cursor: 'abc' });
    await lab.call('GET', `${apiPrefix}/models/flights/versions/3`);
    expect(lab.asked[1]?.request).toMatchObject({ model: 'flights', version: 3 });
    await lab.call('DELETE', `${apiPrefix}/endpoints/flights?reason=old`, undefined, {
      'millrace-user': 'ada',
    });
    expect(lab.asked[2]?.request).toMatchObject({
      name: 'flights',
      actor: { name: 'user:ada', reason: 'old' },
    });
    await lab.call('PUT', `${apiPrefix}/models/flights/aliases/production`, {
      version: '4',
      reason: 'better',
    });
    expect(lab.asked[3]?.request).toMatchObject({
      model: 'flights',
      alias: 'production',
      version: 4,
      actor: { name: 'user:anonymous', reason: 'better' },
    });
  });

  it('plans at /runs:plan, which is no run of that name', async () => {
    await lab.call('POST', `${apiPrefix}/runs:plan`, {});
    await lab.call('GET', `${apiPrefix}/runs/plan`);
    expect(lab.asked.map(({ rpc }) => rpc)).toEqual(['pipeline.planRun', 'pipeline.getRun']);
    expect((await lab.call('POST', `${apiPrefix}/runsplan`, {})).status).toBe(404);
  });

  it.each([
    [`/models?limit=0`, 'limit'],
    [`/models?limit=many`, 'limit'],
    [`/models/flights/versions/x`, 'version'],
  ])('%s is refused, naming the field', async (path, field) => {
    const { status, body } = await lab.call('GET', `${apiPrefix}${path}`);
    expect([status, body.error.violations[0].path]).toEqual([400, field]);
  });

  it('keeps names that need escaping', async () => {
    await lab.call('GET', `${apiPrefix}/models/${encodeURIComponent('a/b ü?')}`);
    expect(lab.asked[0]?.request.name).toBe('a/b ü?');
  });

  it('of a caller whose name is no name is anonymous', async () => {
    await lab.call('DELETE', `${apiPrefix}/endpoints/x`, undefined, { 'millrace-user': 'a b; c' });
    expect(lab.asked[0]?.request.actor.name).toBe('user:anonymous');
  });

  it('fails as its service does, with all it says', async () => {
    lab.answers.set('registry.getModel', () =>
      Promise.reject(
        new NotFound('there is no model x', { hint: 'see `millrace models`', details: { model: 'x' } }),
      ),
    );
    expect(await lab.call('GET', `${apiPrefix}/models/x`)).toMatchObject({
      status: 404,
      body: {
        error: {
          code: 'not_found',
          message: 'there is no model x',
          hint: 'see `millrace models`',
          details: { model: 'x' },
        },
      },
    });
  });
});

describe('methods', () => {
  it('HEAD answers as GET does, without a body', async () => {
    expect(await lab.call('HEAD', `${apiPrefix}/models`)).toMatchObject({ status: 200, text: '' });
  });

  it.each([
    ['HEAD', '/events'],
    ['HEAD', '/runs/x/watch'],
    ['DELETE', '/models'],
    ['PATCH', '/models/x'],
    ['GET', '/nothing'],
  ] as const)('%s %s is not an address', async (method, path) => {
    expect((await lab.call(method, `${apiPrefix}${path}`)).status).toBe(404);
  });
});

describe('the OpenAPI document', () => {
  it('is valid', async () => {
    const { body } = await lab.call('GET', `${apiPrefix}/openapi.json`);
    const result = await new Validator().validate(body);
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
  });

  it('refers only to what it holds, and names each operation once', async () => {
    const { body, text } = await lab.call('GET', `${apiPrefix}/openapi.json`);
    const references = new Set(
      [...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map((match) => match[1] ?? ''),
    );
    for (const name of references) expect(body.components.schemas).toHaveProperty([name]);
    const ids = [...text.matchAll(/"operationId":"([^"]+)"/g)].map((match) => match[1]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('names only addresses that answer', async () => {
    const { body } = await lab.call('GET', `${apiPrefix}/openapi.json`);
    for (const [path, item] of Object.entries<Record<string, unknown>>(body.paths)) {
      for (const method of ['get', 'head', 'put', 'post', 'delete'] as const) {
        // Streams begin and do not end; their own tests read them.
        if (item[method] === undefined || path === '/events' || path.endsWith('/watch')) continue;
        const prefix = item.servers === undefined ? apiPrefix : '';
        const address = `${prefix}${path.replaceAll(/\{\w+\}/g, '7')}`;
        const { text } = await lab.call(
          method.toUpperCase() as 'GET',
          address,
          method === 'put' || method === 'post' ? {} : undefined,
        );
        expect(text).not.toContain('is not an address of this service');
      }
    }
  });
});

describe('the status', () => {
  it('says of every service whether it is ready, and what is wrong', async () => {
    const other = await Lab.open();
    await other.stopOne('training');
    const { body } = await other.call('GET', `${apiPrefix}/status`);
    expect(body.services.registry).toEqual({ ready: true, problems: {} });
    expect(body.services.training).toMatchObject({ ready: false, problems: { service: expect.any(String) } });
    await other.stop();
  });
});

describe('traces', () => {
  it('of a call are kept, found by their id, and cross the services', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    await lab.call('GET', `${apiPrefix}/traces/${traceId}`);
    const { body } = await lab.call('GET', `${apiPrefix}/traces/${traceId}`);
    expect(body).toEqual({ traceId, spans: [] });
    expect((await lab.call('GET', `${apiPrefix}/traces/zz`)).status).toBe(400);
  });

  it('come in over the bus once, and are found by their run', async () => {
    const traceId = '1af7651916cd43dd8448eb211c80319c';
    const span = {
      traceId,
      spanId: 's1',
      name: 'step',
      kind: 'internal',
      service: 'pipeline',
      start: 2,
      duration: 1,
      attributes: {},
      links: [],
    };
    const { bus } = lab.runtime('pipeline');
    const bytes = new TextEncoder().encode(JSON.stringify([span, { ...span, spanId: 's0', start: 1 }]));
    for (const id of ['batch', 'again']) await bus.publishSpans(bytes, { id });
    lab.answers.set('pipeline.getRun', async () => ({ run: { ...emptyRun.run, traceId } }));
    await eventually(async () => {
      const { body } = await lab.call('GET', `${apiPrefix}/runs/run_1/trace`);
      expect(body.spans.map(({ spanId }: { spanId: string }) => spanId)).toEqual(['s0', 's1']);
    });
  });
});

const emptyRun = rpcContract({ service: 'pipeline', rpc: 'getRun' }).response.codec.fromPartial({
  run: {},
}) as {
  run: object;
};
