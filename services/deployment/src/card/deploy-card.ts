import { code, facts, formatNumber, table } from '@millrace/cards';
import type { StepCommand } from '@millrace/contracts/step';
import { type StepResult, stepCard } from '@millrace/service-kit';
import type { Endpoint, Revision, RolloutPolicy } from '../domain/endpoint.ts';

/** All that the card of a deploy step shows. */
export interface DeployFacts {
  readonly endpoint: Endpoint;
  readonly revision: Revision;
  readonly policy: RolloutPolicy;
  /** As the recipe names it: `canary`. */
  readonly strategy: string;
  readonly alias: string;
}

/** The card of the step `deploy`: what got its first traffic, and by which rules it gets more. */
export const deployCard = (
  command: StepCommand,
  { endpoint, revision, policy, strategy, alias }: DeployFacts,
  { outputs, warnings = [] }: StepResult,
): string =>
  stepCard(command, {
    title: 'Deployment',
    subtitle: `Revision ${revision.number} of ${endpoint.name} serves ${revision.model}/${revision.modelVersion}`,
    badge:
      endpoint.stableRevision === revision.number
        ? { text: 'Promoted', tone: 'good' }
        : { text: 'Rolling out', tone: 'warn' },
    sections: [
      {
        title: 'Revision',
        content: [
          facts([
            ['Endpoint', endpoint.name],
            ['Revision', formatNumber(revision.number)],
            ['Model version', `${revision.model}/${revision.modelVersion}`],
            ['Model', code(revision.modelDigest)],
            ['Alias', alias],
          ]),
          table({
            caption: 'Traffic when the step ended',
            columns: [{ title: 'Revision', numeric: true }, { title: 'Share', numeric: true }, { title: '' }],
            rows: endpoint.traffic.map((share) => [
              formatNumber(share.revision),
              `${formatNumber(share.percent)} %`,
              share.shadow ? 'copied, answers unused' : '',
            ]),
          }),
        ],
      },
      {
        title: 'Rollout',
        content: [
          facts([
            ['Strategy', strategy],
            ...(policy.canarySteps.length === 0
              ? []
              : ([['Steps', policy.canarySteps.map((step) => `${step} %`).join(', ')]] as const)),
            ['Promotion', policy.automatic ? 'automatic' : 'by hand'],
            ['Requests before a step', formatNumber(policy.minRequests)],
            ['Errors at most', `${formatNumber(policy.maxErrorRate * 100)} %`],
            [
              'p95 latency at most',
              policy.maxLatencyP95Ms === 0 ? 'not watched' : `${formatNumber(policy.maxLatencyP95Ms)} ms`,
            ],
            ['An alert rolls back', policy.rollbackOnAlert ? 'yes' : 'no'],
          ]),
        ],
      },
    ],
    warnings,
    outputs,
  });
