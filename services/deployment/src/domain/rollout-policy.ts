import { type RolloutPolicy as RolloutPolicyMessage, Strategy } from '@millrace/contracts/deployment';
import { Invalid } from '@millrace/errors';
import type { RolloutPolicy } from './endpoint.ts';

const defaultCanarySteps = [10, 50];
const defaultShadowSteps = [100];

/** The policy with defaults; throws `Invalid` naming what is wrong. A strategy left out is a canary. */
export const rolloutPolicy = (given: RolloutPolicyMessage | undefined): RolloutPolicy => {
  const strategy =
    given === undefined || given.strategy === Strategy.STRATEGY_UNSPECIFIED
      ? Strategy.STRATEGY_CANARY
      : given.strategy;
  if (strategy === Strategy.UNRECOGNIZED) throw Invalid.field('policy.strategy', 'is not known');
  if (given?.automatic && strategy === Strategy.STRATEGY_BLUE_GREEN) {
    throw Invalid.field(
      'policy.automatic',
      'a blue/green candidate answers nothing that it could be judged by',
      {
        hint: 'Promote it by hand, or use `canary` or `direct`.',
      },
    );
  }
  return {
    strategy,
    canarySteps: stepsOf(strategy, given?.canarySteps ?? []),
    automatic: given?.automatic ?? false,
    minRequests: atLeast('policy.min_requests', given?.minRequests ?? 0, 0) || 50,
    maxErrorRate: share(given?.maxErrorRate ?? 0) || 0.05,
    maxLatencyP95Ms: atLeast('policy.max_latency_p95_ms', given?.maxLatencyP95Ms ?? 0, 0),
    rollbackOnAlert: given?.rollbackOnAlert ?? true,
  };
};

const stepsOf = (strategy: Strategy, steps: readonly number[]): readonly number[] => {
  if (strategy === Strategy.STRATEGY_DIRECT || strategy === Strategy.STRATEGY_BLUE_GREEN) return [];
  const isShadow = strategy === Strategy.STRATEGY_SHADOW;
  // All traffic may be copied to a shadow; a canary with all of it would be promoted.
  const most = isShadow ? 100 : 99;
  for (const [i, percent] of steps.entries()) {
    const path = `policy.canary_steps[${i}]`;
    if (!Number.isInteger(percent) || percent < 1 || percent > most) {
      throw Invalid.field(path, `must be a whole percentage from 1 to ${most}`);
    }
    if (percent <= (steps[i - 1] ?? 0)) throw Invalid.field(path, 'must be greater than the one before');
  }
  if (isShadow && steps.length > 1) throw Invalid.field('policy.canary_steps', 'a shadow has one share');
  if (steps.length > 0) return steps;
  return isShadow ? defaultShadowSteps : defaultCanarySteps;
};

const atLeast = (path: string, value: number, least: number): number => {
  if (!Number.isFinite(value) || value < least) throw Invalid.field(path, `must be ${least} or more`);
  return value;
};

const share = (value: number): number => {
  if (!(value >= 0 && value <= 1)) throw Invalid.field('policy.max_error_rate', 'must be 0 to 1');
  return value;
};
