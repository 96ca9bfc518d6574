import type { HandledPosition } from '@millrace/bus';
import type { Actor } from '@millrace/contracts/common';
import { NotFound } from '@millrace/errors';
import type { Change } from '../domain/decide.ts';
import type { Endpoint } from '../domain/endpoint.ts';
import { eventsOf, type ServedCounts } from '../domain/facts-to-events.ts';
import type { DeploymentContext } from './context.ts';

export const loadEndpoint = async (context: DeploymentContext, name: string): Promise<Endpoint> => {
  const stored = await context.endpoints.get(name);
  if (stored === undefined) throw new NotFound(`there is no endpoint ${name}`);
  return stored.document;
};

export const servedCounts = async (context: DeploymentContext, name: string): Promise<ServedCounts> => {
  const stored = await context.counts.get(name);
  return new Map(
    Object.entries(stored?.document.byRevision ?? {}).map(([key, count]) => [Number(key), count]),
  );
};

export const urlOf = (context: DeploymentContext, name: string): string =>
  `${context.baseUrl()}/endpoints/${name}/invocations`;

/**
 * Applies a decision to an endpoint and publishes what it did, in one write. `decide` may be asked several times;
 * returning `undefined` changes nothing, and then the answer is `undefined` too.
 *
 * @throws NotFound when `decide` does not want an endpoint that does not exist
 */
export const changeEndpoint = async (
  context: DeploymentContext,
  name: string,
  actor: Actor,
  decide: (current: Endpoint | undefined) => Change | undefined,
  handled?: HandledPosition,
): Promise<Endpoint | undefined> => {
  const counts = await servedCounts(context, name);
  let changed: Endpoint | undefined;
  await context.endpoints.update(
    name,
    (current) => {
      const change = decide(current?.document);
      changed = change?.endpoint;
      return change === undefined
        ? undefined
        : { document: change.endpoint, messages: eventsOf(change, actor, counts, urlOf(context, name)) };
    },
    { handled },
  );
  return changed;
};

/** Applies a decision that needs the endpoint to exist. */
export const changeExisting = (
  context: DeploymentContext,
  name: string,
  actor: Actor,
  decide: (current: Endpoint) => Change | undefined,
  handled?: HandledPosition,
): Promise<Endpoint | undefined> =>
  changeEndpoint(
    context,
    name,
    actor,
    (current) => {
      if (current === undefined) throw new NotFound(`there is no endpoint ${name}`);
      return decide(current);
    },
    handled,
  );
