import type { DeploymentServiceService, GetEndpointResponse, Revision } from '@millrace/contracts/deployment';
import { deploymentEvents } from '@millrace/contracts/deployment';
import { Invalid } from '@millrace/errors';
import { eventMessage, pageQuery, type RpcHandlers, requireName, requireText } from '@millrace/service-kit';
import { loadEndpoint, servedCounts, urlOf } from '../application/change-endpoint.ts';
import type { DeploymentContext } from '../application/context.ts';
import { deploy } from '../application/deploy.ts';
import { listReactions, setReaction } from '../application/reactions.ts';
import { freeUnused, routeTraffic } from '../application/route-traffic.ts';
import { promoteCandidate, rollBack } from '../application/steer-rollout.ts';
import type { Endpoint } from '../domain/endpoint.ts';
import { endpointMessage, revisionMessage } from '../domain/facts-to-events.ts';
import { rolloutPolicy } from '../domain/rollout-policy.ts';

const unknownActor = { name: 'user:anonymous', reason: '' };

/** Answers of `DeploymentService`. */
export const grpcHandlers = (context: DeploymentContext): RpcHandlers<typeof DeploymentServiceService> => {
  const show = (endpoint: Endpoint) => endpointMessage(endpoint, urlOf(context, endpoint.name));
  const revisions = async (endpoint: Endpoint): Promise<Revision[]> => {
    const counts = await servedCounts(context, endpoint.name);
    return endpoint.revisions
      .map(({ number }) => revisionMessage(endpoint, number, counts))
      .filter((revision) => revision !== undefined);
  };
  return {
    deploy: async (request) => {
      if (request.modelVersion < 1) throw Invalid.field('model_version', 'must be 1 or more');
      const { endpoint, revision } = await deploy(context, {
        endpoint: requireName('endpoint', request.endpoint),
        model: requireText('model', request.model),
        modelVersion: request.modelVersion,
        policy: rolloutPolicy(request.policy),
        alias: request.alias === '' ? '' : requireName('alias', request.alias),
        actor: request.actor ?? unknownActor,
        pipelineRunId: request.pipelineRunId,
      });
      const counts = await servedCounts(context, endpoint.name);
      return { endpoint: show(endpoint), revision: revisionMessage(endpoint, revision.number, counts) };
    },
    promote: async ({ endpoint, full, actor }) => ({
      endpoint: show(
        await promoteCandidate(context, requireName('endpoint', endpoint), full, actor ?? unknownActor),
      ),
    }),
    rollback: async ({ endpoint, actor }) => {
      if (!actor?.reason) throw Invalid.field('actor.reason', 'is required: say why');
      return {
        endpoint: show(await rollBack(context, { endpoint: requireName('endpoint', endpoint), actor })),
      };
    },
    getEndpoint: async ({ name }): Promise<GetEndpointResponse> => {
      const endpoint = await loadEndpoint(context, requireName('name', name));
      return { endpoint: show(endpoint), revisions: await revisions(endpoint) };
    },
    listEndpoints: async ({ page }) => {
      const found = await context.endpoints.find(pageQuery(page));
      return {
        endpoints: found.items.map(({ document }) => show(document)),
        page: { nextCursor: found.nextCursor ?? '' },
      };
    },
    // An endpoint keeps few revisions, in one document: they fit one page.
    listRevisions: async ({ endpoint }) => ({
      revisions: (await revisions(await loadEndpoint(context, requireName('endpoint', endpoint)))).reverse(),
      page: { nextCursor: '' },
    }),
    deleteEndpoint: async ({ name, actor }) => {
      await loadEndpoint(context, requireName('name', name));
      await context.endpoints.update(name, () => ({
        document: null,
        messages: [
          eventMessage(deploymentEvents.endpointDeleted, name, {
            endpoint: name,
            actor: actor ?? unknownActor,
          }),
        ],
      }));
      // A new endpoint of the name counts anew.
      await context.counts.update(name, (current) =>
        current === undefined ? undefined : { document: null },
      );
      await routeTraffic(context, name);
      await freeUnused(context);
      return {};
    },
    listReactions: async () => ({ reactions: await listReactions(context) }),
    setReaction: async ({ name, enabled, actor }) => ({
      reaction: await setReaction(context, name, enabled, actor),
    }),
  };
};
