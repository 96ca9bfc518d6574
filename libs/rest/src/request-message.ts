import { apiPrefix, pathParameters, type RpcRoute } from './routes.ts';

export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly $ref?: string;
  readonly [key: string]: unknown;
}

/** Which part of an HTTP request carries which fields of the request message. */
export interface RequestSchema {
  readonly params: JsonSchema;
  readonly query: JsonSchema;
  /** Absent for methods without a body. */
  readonly body?: JsonSchema;
}

/** The message in which every RPC names who acts; over HTTP it comes from the caller's identity and `reason`. */
const actorField = 'actor';
const pageField = 'page';

const reason: JsonSchema = { type: 'string', maxLength: 2000, description: 'Why; kept in the audit log.' };
const paging: Record<string, JsonSchema> = {
  limit: { type: 'integer', minimum: 1, maximum: 1000, description: 'Default 100.' },
  cursor: { type: 'string', maxLength: 2000, description: '`page.nextCursor` of the page before.' },
};

const closed = (properties: Record<string, JsonSchema>, required: readonly string[] = []): JsonSchema => ({
  type: 'object',
  properties,
  additionalProperties: false,
  ...(required.length === 0 ? {} : { required }),
});

/** Splits the fields of an RPC's request message over path, query and body. */
export const requestSchema = (route: RpcRoute, message: JsonSchema): RequestSchema => {
  const names = pathParameters(route.path);
  const rest: Record<string, JsonSchema> = {};
  const params: Record<string, JsonSchema> = {};
  for (const [name, schema] of Object.entries(message.properties ?? {})) {
    if (names.includes(name))
      params[name] = schema.type === 'string' ? { ...schema, maxLength: 256 } : schema;
    else if (name === actorField) rest.reason = reason;
    else if (name === pageField) Object.assign(rest, paging);
    else rest[name] = schema;
  }
  const withBody = route.method === 'POST' || route.method === 'PUT';
  return {
    params: closed(params, names),
    query: closed(withBody ? {} : rest),
    ...(withBody ? { body: closed(rest) } : {}),
  };
};

/** Path, query and body that carry a request message given in proto JSON; the reverse of `requestJson`. */
export const splitRequest = (
  route: RpcRoute,
  message: Readonly<Record<string, unknown>>,
): { path: string; query: Record<string, unknown>; body: Record<string, unknown> | undefined } => {
  const { page, actor, ...fields } = message as Record<string, unknown> & {
    page?: { limit?: number; cursor?: string };
    actor?: { reason?: string };
  };
  const names = pathParameters(route.path);
  const path = names.reduce(
    (text, name) => text.replace(`:${name}`, encodeURIComponent(String(fields[name] ?? ''))),
    route.path,
  );
  const rest = Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
  const reasoned = actor?.reason === undefined ? rest : { ...rest, reason: actor.reason };
  const withBody = route.method === 'POST' || route.method === 'PUT';
  return {
    path: `${apiPrefix}${path}`,
    query: withBody ? {} : { ...reasoned, ...page },
    // Paging of the few lists that are asked for by POST travels like any other field.
    body: withBody ? { ...reasoned, ...page } : undefined,
  };
};

/** The request message in proto JSON. */
export const requestJson = (
  message: JsonSchema,
  parts: { params: object; query: object; body: object },
  user: string,
): Record<string, unknown> => {
  const {
    limit,
    cursor,
    reason: why,
    ...fields
  } = { ...parts.query, ...parts.body, ...parts.params } as Record<string, unknown>;
  const has = (name: string) => message.properties?.[name] !== undefined;
  return {
    ...fields,
    ...(has(pageField) ? { page: { limit, cursor } } : {}),
    ...(has(actorField) ? { actor: { name: user, reason: why ?? '' } } : {}),
    // A message may have such a field itself; then it is not ours to take away.
    ...(has('reason') ? { reason: why } : {}),
  };
};
