import { Denied, FailedPrecondition, Internal, Unauthenticated } from '@millrace/errors';
import { type Permission, permissionsOfRole, type RoutePermission } from '@millrace/rest';
import { count } from '@millrace/telemetry';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Tokens } from '../application/tokens.ts';
import { isAllowed, type Principal } from '../domain/access.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a request of this route needs. A route of the gateway without it keeps the gateway from starting. */
    permission?: RoutePermission;
  }
  interface FastifyRequest {
    principal: Principal | undefined;
  }
}

const userHeader = 'millrace-user';
const userGrammar = /^[\w.@+-]{1,128}$/;

/** Whom the caller says to act for; believed on an open gateway, and of the operator. */
const claimedUser = (request: FastifyRequest): string => {
  const header = request.headers[userHeader];
  return typeof header === 'string' && userGrammar.test(header) ? `user:${header}` : 'user:anonymous';
};

/**
 * Who makes the request, as the audit log will name it: the owner of the token. On an open loopback gateway the caller
 * says so itself in `millrace-user`; there is nobody else on the machine's loopback to lie to.
 */
export const userOf = (request: FastifyRequest): string => request.principal?.user ?? claimedUser(request);

/** Routes that every service has. */
const ofTheKit: Readonly<Record<string, RoutePermission>> = {
  '/health/live': 'public',
  '/health/ready': 'public',
  '/metrics': 'read',
  '/diagnosis': 'administer',
};

const permissionOf = (url: string | undefined, declared: RoutePermission | undefined) =>
  declared ?? ofTheKit[url ?? ''];

/** The endpoint that a request is about, where its path names one. */
const endpointOf = (request: FastifyRequest): string | undefined => {
  const { endpoint, name, '*': rest } = request.params as Readonly<Record<string, string | undefined>>;
  const ofProtocol = /^models\/([^/]+)/.exec(rest ?? '')?.[1];
  return endpoint ?? ofProtocol ?? name;
};

const loopback = new Set(['127.0.0.1', '::1', 'localhost']);

export const isLoopback = (host: string): boolean => loopback.has(host);

/**
 * Demands of every request what its route has declared. Without any token the gateway is open, which is only right where
 * nobody but this machine reaches it.
 *
 * @throws Internal when a route declares no permission
 */
export const guard = (app: FastifyInstance, tokens: Tokens): void => {
  app.decorateRequest('principal');
  app.addHook('onRoute', ({ method, url, config }) => {
    if (permissionOf(url, config?.permission) === undefined) {
      throw new Internal(`the route ${method} ${url} declares no permission`);
    }
  });
  app.addHook('onRequest', (request, _reply, done) => {
    const { url, config } = request.routeOptions;
    const permission = permissionOf(url, config.permission);
    if (permission === 'public') return done();
    if (tokens.knownOpen === true) return done(admit(request, everybody(request), permission));
    identify(request, tokens).then((principal) => done(admit(request, principal, permission)), done);
  });
};

/** Lets in who may do what the route needs; else returns why not. */
const admit = (
  request: FastifyRequest,
  principal: Principal,
  permission: Permission | undefined,
): Denied | undefined => {
  request.principal = principal;
  const endpoint = principal.scopes.length === 0 ? undefined : endpointOf(request);
  if (permission === undefined || isAllowed(principal, permission, endpoint)) return undefined;
  count('millrace_gateway_requests_refused_total', { reason: 'denied' });
  return new Denied(`${principal.user} may not ${permission} here`, {
    hint: 'Ask an admin for a token of a role, or with a scope, that allows it: `millrace tokens create --help`.',
  });
};

/** Who makes a request of an open gateway. */
const everybody = (request: FastifyRequest): Principal => ({
  user: claimedUser(request),
  permissions: permissionsOfRole.admin,
  scopes: [],
});

const identify = async (request: FastifyRequest, tokens: Tokens): Promise<Principal> => {
  if (await tokens.isOpen()) return everybody(request);
  const [, text] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '') ?? [];
  const principal = text === undefined ? undefined : await tokens.authenticate(text, claimedUser(request));
  if (principal !== undefined) return principal;
  count('millrace_gateway_requests_refused_total', { reason: 'unauthenticated' });
  throw new Unauthenticated('this gateway needs a token that is known and has not ended', {
    hint: 'Send it as "Authorization: Bearer …"; the command line takes it from MILLRACE_TOKEN.',
  });
};

/** @throws FailedPrecondition when the gateway would be open to more than this machine */
export const refuseOpenListener = async (host: string, tokens: Tokens): Promise<void> => {
  if (isLoopback(host) || !(await tokens.isOpen())) return;
  throw new FailedPrecondition(`the gateway would be open to everyone who reaches ${host}`, {
    hint: 'Set MILLRACE_TOKEN to a secret of 16 characters or more, create a token while it listens on 127.0.0.1, or leave it there.',
  });
};

/**
 * Refuses requests that a web page of another site could have a browser make. A request must come without an
 * `Origin`, or from this very host (request forgery). On an open gateway it must also name this machine as its
 * `Host`: a page whose name was made to resolve to loopback (DNS rebinding) has this very host as its origin.
 *
 * @throws Denied
 */
export const refuseForeignOrigins = (app: FastifyInstance, tokens: Tokens): void => {
  /** The latest header that named this machine: mostly it is the same one. */
  let ofLoopback: string | undefined;
  const namesLoopback = (host: string): boolean => {
    if (host === ofLoopback) return true;
    if (!isLoopback(hostName(host))) return false;
    ofLoopback = host;
    return true;
  };
  app.addHook('onRequest', (request, _reply, done) => {
    const { origin, host } = request.headers;
    if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
      done(new Denied(`requests from ${origin} are not accepted`));
    } else if (namesLoopback(host ?? '')) done();
    else refuseWhenOpen(host, tokens).then(() => done(), done);
  });
};

const refuseWhenOpen = async (host: string | undefined, tokens: Tokens): Promise<void> => {
  if (!(await tokens.isOpen())) return;
  throw new Denied(`requests to the host "${host}" are not accepted without a token`, {
    hint: 'Use 127.0.0.1 or localhost, or set MILLRACE_TOKEN.',
  });
};

/** The name in a `Host` header, without its port and an IPv6 address's brackets. */
const hostName = (host: string): string => host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
