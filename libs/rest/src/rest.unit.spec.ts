import { describe, expect, it } from 'vitest';
import {
  pathParameters,
  requestJson,
  requestSchema,
  routeOf,
  rpcContract,
  rpcRoutes,
  serviceDefinitions,
  splitRequest,
} from './index.ts';

const titled = rpcRoutes.map((route) => [`${route.method} ${route.path}`, route] as const);

/** A value of each field's type, so that a request carries something in every field. */
const sample = (message: { properties?: Readonly<Record<string, { type?: string }>> }) =>
  Object.fromEntries(
    Object.entries(message.properties ?? {}).map(([name, { type }]) => [
      name,
      type === 'string'
        ? `a/b ${name}`
        : type === 'integer' || type === 'number'
          ? 7
          : type === 'boolean'
            ? true
            : [],
    ]),
  );

describe('the table of routes', () => {
  it('has each address and each RPC once', () => {
    const addresses = rpcRoutes.map(({ method, path }) => `${method} ${path.replaceAll(/:\w+/g, ':')}`);
    expect(new Set(addresses).size).toBe(addresses.length);
    const names = rpcRoutes.map(({ service, rpc }) => `${service}.${rpc}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it('offers every RPC of every service, or says here why not', () => {
    const inner = new Set([
      // Asked by services of each other only.
      'evaluation.findVerdict',
    ]);
    const missing = Object.entries(serviceDefinitions).flatMap(([service, definition]) =>
      Object.keys(definition)
        .filter((rpc) => routeOf(service, rpc) === undefined)
        .map((rpc) => `${service}.${rpc}`),
    );
    expect(missing.filter((name) => !inner.has(name))).toEqual([]);
  });

  it('takes a colon inside a name for a part of the name', () => {
    expect(pathParameters('/runs:plan')).toEqual([]);
    expect(pathParameters('/runs/:id/cancel')).toEqual(['id']);
    expect(pathParameters('/models/:model/versions/:version')).toEqual(['model', 'version']);
  });

  it.each(titled)('%s has parameters that are fields of its request', (_, route) => {
    const { schema } = rpcContract(route).request;
    for (const name of pathParameters(route.path)) expect(schema.properties).toHaveProperty(name);
  });

  it.each(titled)('%s asks for no field that the API keeps for itself', (_, route) => {
    const { schema } = rpcContract(route).request;
    for (const name of ['limit', 'cursor']) expect(schema.properties).not.toHaveProperty(name);
  });
});

describe('a request', () => {
  it.each(titled)('of %s comes out as it went in', (_, route) => {
    const { schema } = rpcContract(route).request;
    const message: Record<string, unknown> = sample(schema);
    if ('page' in message) message.page = { limit: 5, cursor: 'c' };
    if ('actor' in message) message.actor = { name: 'user:ada', reason: 'because' };
    const { path, query, body } = splitRequest(route, message);
    expect(path).not.toMatch(/\/:/);
    const names = pathParameters(route.path);
    const pattern = new RegExp(`^/api/v1${route.path.replaceAll(/(?<=\/):\w+/g, '([^/]+)')}$`);
    const found = pattern.exec(path)?.slice(1).map(decodeURIComponent) ?? [];
    const params = Object.fromEntries(names.map((name, i) => [name, found[i]]));
    const typed = Object.fromEntries(
      Object.entries(params).map(([name, text]) => [
        name,
        schema.properties?.[name]?.type === 'string' ? text : Number(text),
      ]),
    );
    expect(requestJson(schema, { params: typed, query, body: body ?? {} }, 'user:ada')).toEqual(message);
  });

  it.each(titled)('of %s allows exactly the fields that it has', (_, route) => {
    const schema = requestSchema(route, rpcContract(route).request.schema);
    for (const part of [schema.params, schema.query, schema.body]) {
      if (part !== undefined) expect(part.additionalProperties).toBe(false);
    }
    const hasBody = route.method === 'POST' || route.method === 'PUT';
    expect(schema.body !== undefined).toBe(hasBody);
    if (hasBody) expect(schema.query.properties).toEqual({});
  });

  it.each(titled.filter(([, { method }]) => method === 'GET' || method === 'DELETE'))(
    'of %s has only fields that a query can carry',
    (_, route) => {
      const { query } = requestSchema(route, rpcContract(route).request.schema);
      for (const field of Object.values(query.properties ?? {})) {
        const type = field.type === 'array' ? field.items?.type : field.type;
        expect(['string', 'integer', 'number', 'boolean']).toContain(type);
      }
    },
  );
});
