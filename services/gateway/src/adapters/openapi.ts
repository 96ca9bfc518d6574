import {
  apiPrefix,
  type JsonSchema,
  messageSchemas,
  type RpcRoute,
  requestSchema,
  rpcContract,
  rpcRoutes,
} from '@millrace/rest';
import { errorResponse, errorSchema } from './error-schema.ts';
import { ownOperations } from './own-operations.ts';

/** The OpenAPI 3.1 document of the REST API. */
export const openApiDocument = (): Record<string, unknown> => {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of rpcRoutes) {
    const path = openApiPath(route.path);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Millrace',
      version: 'v1',
      description: 'The whole life of a model: runs, data, models, endpoints, monitors and their events.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: apiPrefix }],
    paths: { ...paths, ...ownOperations },
    components: {
      schemas: { ...messageSchemas, Error: errorSchema },
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
    security: [{}, { token: [] }],
  };
};

const openApiPath = (path: string): string => path.replaceAll(/(?<=\/):([a-zA-Z]+)/g, '{$1}');

const operation = (route: RpcRoute): Record<string, unknown> => {
  const contract = rpcContract(route);
  const request = requestSchema(route, contract.request.schema);
  return {
    operationId: `${route.service}.${route.rpc}`,
    summary: route.summary,
    tags: [route.service],
    parameters: [...parametersOf(request.params, 'path'), ...parametersOf(request.query, 'query')],
    ...(request.body === undefined
      ? {}
      : { requestBody: { content: { 'application/json': { schema: request.body } } } }),
    responses: {
      200: {
        description: 'Done.',
        content: {
          'application/json': { schema: { $ref: `#/components/schemas/${contract.response.name}` } },
        },
      },
      default: errorResponse,
    },
  };
};

const parametersOf = (schema: JsonSchema, place: 'path' | 'query') =>
  Object.entries(schema.properties ?? {}).map(([name, field]) => ({
    name,
    in: place,
    required: place === 'path',
    schema: field,
  }));
