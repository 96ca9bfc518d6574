import { RolloutPolicy as RolloutPolicyMessage, Strategy } from '@millrace/contracts/deployment';
import { Invalid } from '@millrace/errors';
import { requireName, type StepHandler } from '@millrace/service-kit';
import { z } from 'zod';
import { rolloutPolicy } from '../domain/rollout-policy.ts';
import type { DeploymentContext } from './context.ts';
import { deploy } from './deploy.ts';

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

/**
 * The recipe's `deploy` step: brings the registered model version to its endpoint. It ends when the candidate has
 * its first traffic; the rollout goes on by itself, by hand, or back.
 */
export const deployStep =
  (context: DeploymentContext): StepHandler =>
  async ({ command, input, progress }) => {
    const parsed = configSchema.safeParse(command.config ?? {});
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw Invalid.field(`steps.deploy.${issue?.path.join('.')}`, issue?.message ?? 'is wrong');
    }
    const config = parsed.data;
    const version = input('model_version');
    const [model = '', number = '0'] = version.id.split('/');
    progress(-1, `loading ${version.id} and testing it on its input example`);
    const { endpoint, revision } = await deploy(context, {
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
    });
    const share = endpoint.traffic.find((item) => item.revision === revision.number);
    const percent = share?.percent ?? 0;
    return {
      outputs: [
        {
          name: 'endpoint_revision',
          kind: 'endpoint_revision',
          id: `${endpoint.name}/${revision.number}`,
          attributes: {
            endpoint: endpoint.name,
            revision: String(revision.number),
            model,
            model_version: number,
            model_digest: revision.modelDigest,
          },
        },
      ],
      summary: {
        endpoint: endpoint.name,
        revision: revision.number,
        traffic_percent: percent,
        strategy: config.strategy,
        promoted: endpoint.stableRevision === revision.number,
      },
    };
  };
