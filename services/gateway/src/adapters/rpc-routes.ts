import {
  apiPrefix,
  messageSchemas,
  type RpcRoute,
  requestJson,
  requestSchema,
  rpcContract,
  rpcRoutes,
  serviceDefinitions,
} from '@millrace/rest';
import type { CallOptions, Runtime } from '@millrace/service-kit';
import type { FastifyInstance } from 'fastify';
import { userOf } from './identity.ts';

type Unary = (request: unknown, options?: CallOptions) => Promise<unknown>;

/** Milliseconds for the service's answer; loading a model takes the longest. */
const timeoutMs = 25_000;

/** `:id` is a parameter for Fastify, and so would be the `:plan` of `/runs:plan`, which is part of the name. */
export const fastifyPath = (path: string): string =>
  `${apiPrefix}${path.replace(/(?<=[a-z]):(?=[a-z])/g, '::')}`;

/** Serves every route of the table by its RPC. */
export const registerRpcRoutes = (app: FastifyInstance, peer: Runtime['peer']): void => {
  app.addSchema({ $id: 'millrace', definitions: withSharedRefs(messageSchemas) });
  for (const route of rpcRoutes) registerRpcRoute(app, peer, route);
};

const registerRpcRoute = (app: FastifyInstance, peer: Runtime['peer'], route: RpcRoute): void => {
  const contract = rpcContract(route);
  const schema = withSharedRefs(requestSchema(route, contract.request.schema));
  const client = peer(route.service, serviceDefinitions[route.service]) as Readonly<Record<string, Unary>>;
  app.route({
    method: route.method,
    url: fastifyPath(route.path),
    config: {
      permission: route.permission,
      ...(route.tracing === undefined ? {} : { tracing: route.tracing }),
    },
    schema: {
      params: schema.params,
      querystring: schema.query,
      ...(schema.body === undefined ? {} : { body: schema.body }),
    },
    // A POST without a body means one without fields.
    preValidation: async (request) => {
      if (schema.body !== undefined) request.body ??= {};
    },
    handler: async (request) => {
      const parts = {
        params: request.params as object,
        query: request.query as object,
        body: (request.body ?? {}) as object,
      };
      const message = contract.request.codec.fromJSON(
        requestJson(contract.request.schema, parts, userOf(request)),
      );
      const call = client[route.rpc];
      if (call === undefined) throw new Error(`no RPC ${route.rpc}`);
      return contract.response.codec.toJSON(await call(message, { timeoutMs }));
    },
  });
};

/** The same schema with references as Fastify's validator resolves them. */
const withSharedRefs = <T>(schema: T): T =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/components/schemas/', '"millrace#/definitions/')) as T;
