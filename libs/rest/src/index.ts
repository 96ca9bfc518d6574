export {
  type Permission,
  permissions,
  permissionsOfRole,
  type RoleName,
  type RoutePermission,
  roles,
} from './permissions.ts';
export {
  type JsonSchema,
  type RequestSchema,
  requestJson,
  requestSchema,
  splitRequest,
} from './request-message.ts';
export { type ApiService, apiPrefix, pathParameters, type RpcRoute, routeOf, rpcRoutes } from './routes.ts';
export { messageSchemas, type RpcCodecs, rpcContract, serviceDefinitions } from './rpc-contract.ts';
