import { activeContent, hostileTexts, nestingFaults, structureOf } from '@millrace/cards/testing';
import { RevisionState, Strategy } from '@millrace/contracts/deployment';
import { StepCommand } from '@millrace/contracts/step';
import { describe, expect, it } from 'vitest';
import { deployCard } from '../src/card/deploy-card.ts';

const cardOf = (text: string, stableRevision = 1): string =>
  deployCard(
    StepCommand.fromPartial({ pipelineRunId: text, step: 'deploy', project: { project: text } }),
    {
      endpoint: {
        ...{ name: text, stableRevision, alias: text, nextRevision: 3, revisions: [], createdAt: text },
        traffic: [
          { revision: 1, percent: 80, shadow: false },
          { revision: 2, percent: 20, shadow: true },
        ],
      },
      revision: {
        ...{ number: 2, model: text, modelVersion: 4, modelDigest: text, pipelineRunId: text },
        ...{ state: RevisionState.REVISION_STATE_READY, error: '', createdAt: text },
      },
      policy: {
        ...{ strategy: Strategy.STRATEGY_CANARY, canarySteps: [20, 50], automatic: true, minRequests: 50 },
        ...{ maxErrorRate: 0.05, maxLatencyP95Ms: 120, rollbackOnAlert: true },
      },
      ...{ strategy: text, alias: text },
    },
    { outputs: [{ name: text, kind: 'endpoint_revision', id: text }] },
  );

describe('the card of deploy', () => {
  it.each(hostileTexts)('shows %j as text', (text) => {
    const page = cardOf(text);
    expect(structureOf(page)).toEqual(structureOf(cardOf('a'.repeat(text.length))));
    expect(activeContent(page)).toEqual([]);
    expect(nestingFaults(page)).toEqual([]);
  });

  it('tells who serves and by which rules the candidate gets more', () => {
    const page = cardOf('flights');
    for (const fact of [
      'Revision 2 of flights serves flights/4',
      'Rolling out',
      '20 %, 50 %',
      '120 ms',
      'copied',
    ])
      expect(page).toContain(fact);
    expect(cardOf('flights', 2)).toContain('Promoted');
  });
});
