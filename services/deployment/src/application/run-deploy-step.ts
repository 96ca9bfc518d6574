import type { BlobStore } from '@millrace/blobs';
import {
  RolloutPolicy as RolloutPolicyMessage,
  RolloutState,
  Strategy,
} from '@millrace/contracts/deployment';
import { Conflict, Invalid } from '@millrace/errors';
import { requireName, type StepHandler, withCard } from '@millrace/service-kit';
import { z } from 'zod';
import { deployCard } from '../card/deploy-card.ts';
import { rolloutPolicy } from '../domain/rollout-policy.ts';
import { loadEndpoint } from './change-endpoint.ts';
import type { DeploymentContext } from './context.ts';
import { type DeployCommand, type Deployed, deploy } from './deploy.ts';

const configSchema = z.object({
  endpoint: z.string().min(1).optional(),
  alias: z.string().default('production'),
  strategy: z.enum(['canary', 'shadow', 'blue_green', 'direct']).default('canary'),
  canary_steps: z.array(z.number()).default([]),
  promotion: z.enum(['manual', 'automatic']).default('manual'),
  min_requests: z.number().int().nonnegative().default(0),
  max_error_rate: z.number().min(0).max(1).default(0),
  max_latency_p95_ms: z.number().nonnegative().default(0),
  rollback_on_alert: z.boolean().default(true),
});

const strategies = {
  canary: Strategy.STRATEGY_CANARY,
  shadow: Strategy.STRATEGY_SHADOW,
  blue_green: Strategy.STRATEGY_BLUE_GREEN,
  direct: Strategy.STRATEGY_DIRECT,
} as const;

/** How often an endpoint is asked whether its rollout has started. Milliseconds. */
const pollMs = 250;

/**
 * Deploys as soon as no other rollout is just starting there, which takes seconds. One that is in progress waits
 * for a person or for requests, and is a `Conflict`: the run can be resumed once it has ended.
 */
const deployWhenFree = async (
  context: DeploymentContext,
  command: DeployCommand,
  signal: AbortSignal,
  onWait: () => void,
): Promise<Deployed> => {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await deploy(context, command);
    } catch (thrown) {
      if (!(thrown instanceof Conflict)) throw thrown;
      const { rollout } = await loadEndpoint(context, command.endpoint);
      if (rollout?.state === RolloutState.ROLLOUT_STATE_IN_PROGRESS) throw thrown;
      onWait();
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }
};

/**
 * The recipe's `deploy` step: brings the registered model version to its endpoint. It ends when the candidate has
 * its first traffic; the rollout goes on by itself, by hand, or back.
 */
export const deployStep =
  (context: DeploymentContext, blobs: Pick<BlobStore, 'put'>): StepHandler =>
  async (step) => {
    const { command, input, progress, signal } = step;
    const parsed = configSchema.safeParse(command.config ?? {});
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw Invalid.field(`steps.deploy.${issue?.path.join('.')}`, issue?.message ?? 'is wrong');
    }
    const config = parsed.data;
    const version = input('model_version');
    const [model = '', number = '0'] = version.id.split('/');
    progress(-1, `loading ${version.id} and testing it on its input example`);
    const deployment: DeployCommand = {
      endpoint: requireName('steps.deploy.endpoint', (config.endpoint ?? model).toLowerCase()),
      model,
      modelVersion: Number(number),
      policy: rolloutPolicy(
        RolloutPolicyMessage.fromPartial({
          strategy: strategies[config.strategy],
          canarySteps:
            config.strategy === 'canary' || config.strategy === 'shadow' ? config.canary_steps : [],
          automatic: config.promotion === 'automatic',
          minRequests: config.min_requests,
          maxErrorRate: config.max_error_rate,
          maxLatencyP95Ms: config.max_latency_p95_ms,
          rollbackOnAlert: config.rollback_on_alert,
        }),
      ),
      alias: config.alias,
      actor: command.actor ?? { name: 'service:pipeline', reason: '' },
      pipelineRunId: command.pipelineRunId,
      onProgress: (message) => progress(-1, message),
    };
    const { endpoint, revision } = await deployWhenFree(context, deployment, signal, () =>
      progress(-1, `waiting for the rollout that is starting at ${deployment.endpoint}`),
    );
    const share = endpoint.traffic.find((item) => item.revision === revision.number);
    const percent = share?.percent ?? 0;
    const result = {
      outputs: [
        {
          name: 'endpoint_revision',
          kind: 'endpoint_revision',
          id: `${endpoint.name}/${revision.number}`,
          attributes: {
            endpoint: endpoint.name,
            revision: String(revision.number),
            model,
            version: number,
            modelDigest: revision.modelDigest,
          },
        },
      ],
      summary: {
        endpoint: endpoint.name,
        revision: revision.number,
        trafficPercent: percent,
        strategy: config.strategy,
        promoted: endpoint.stableRevision === revision.number,
      },
    };
    const { strategy, alias } = config;
    return withCard(step, blobs, result, (made) =>
      deployCard(command, { endpoint, revision, policy: deployment.policy, strategy, alias }, made),
    );
  };
