import { RevisionState } from '@millrace/contracts/deployment';
import { messageOf } from '@millrace/errors';
import { contextFromHeaders } from '@millrace/telemetry';
import { type SpanContext, trace } from '@opentelemetry/api';
import type { Endpoint, Revision } from '../domain/endpoint.ts';
import type { DeploymentContext } from './context.ts';
import type { ServedRevision } from './serving-table.ts';

/** Revisions whose models are kept loaded: those with traffic, and the one that a rollback would go to. */
const isWarm = (endpoint: Endpoint, revision: Revision): boolean =>
  endpoint.traffic.some((share) => share.revision === revision.number) ||
  (revision.state === RevisionState.REVISION_STATE_STANDBY &&
    revision.number === endpoint.rollout?.stableRevision);

/**
 * Brings the data plane in line with an endpoint's document: loads what must answer, then swaps the route. A
 * revision that does not load is left out, so that the others go on answering. A document that changes while
 * models load is read again, so that of two changes at once the later one is what serves.
 */
export const routeTraffic = async (context: DeploymentContext, name: string): Promise<void> => {
  let stored = await context.endpoints.get(name);
  for (;;) {
    if (stored === undefined) {
      context.table.delete(name);
      return;
    }
    const { document: endpoint, version } = stored;
    const warm = endpoint.revisions.filter((revision) => isWarm(endpoint, revision));
    const loaded = await Promise.all(warm.map((revision) => load(context, endpoint, revision)));
    stored = await context.endpoints.get(name);
    if (stored?.version !== version) continue;
    const revisions = loaded.filter((revision) => revision !== undefined);
    context.table.set(name, version, endpoint.traffic, revisions);
    return;
  }
};

const load = async (
  { loader, log }: DeploymentContext,
  endpoint: Endpoint,
  revision: Revision,
): Promise<Omit<ServedRevision, 'stats'> | undefined> => {
  try {
    const predictor = await loader.load(revision.modelDigest);
    const { number, model, modelVersion } = revision;
    return { number, model, modelVersion, predictor, ...deployedBy(revision) };
  } catch (thrown) {
    const facts = { endpoint: endpoint.name, revision: revision.number };
    log.error({ ...facts, err: thrown }, `a revision does not load: ${messageOf(thrown)}`);
    return undefined;
  }
};

/** The span that deployed a revision, for its predictions to link to. */
const deployedBy = ({ traceparent }: Revision): { readonly deployedBy?: SpanContext } => {
  if (traceparent === undefined) return {};
  const span = trace.getSpanContext(contextFromHeaders({ traceparent }));
  return span === undefined ? {} : { deployedBy: span };
};

/** Frees the models that no endpoint keeps warm. */
export const freeUnused = async (context: DeploymentContext): Promise<void> => {
  const used = new Set<string>();
  for await (const { document: endpoint } of context.endpoints.scan()) {
    for (const revision of endpoint.revisions) {
      if (isWarm(endpoint, revision) || revision.state === RevisionState.REVISION_STATE_STARTING) {
        used.add(revision.modelDigest);
      }
    }
  }
  await context.loader.keepOnly(used);
};
