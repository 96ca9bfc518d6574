import { activeContent, hostileTexts, nestingFaults, structureOf } from '@millrace/cards/testing';
import { StepCommand } from '@millrace/contracts/step';
import { describe, expect, it } from 'vitest';
import { monitorCard } from '../src/card/monitor-card.ts';

const cardOf = (text: string): string =>
  monitorCard(
    StepCommand.fromPartial({ pipelineRunId: text, step: 'monitor', project: { project: text } }),
    {
      monitor: {
        ...{ endpoint: text, revision: 2, windowRecords: 400, windowMaxAgeMs: 3_600_000, project: text },
        bindings: {
          2: {
            ...{ revision: 2, model: text, modelVersion: 4, datasetVersionId: text, profileDigest: text },
            ...{ predictionProfileDigest: '', targetColumn: text, task: { type: 'regression' } },
          },
        },
        drift: { falseAlarmRate: 0.01, minEffect: 0.1, features: [], tests: [] },
        rules: [
          {
            ...{ name: text, check: 'performance', metric: text, threshold: 3, severity: 'critical' },
            ...{ fireAfter: 2, ofWindows: 3 },
          },
        ],
        ...{ retrainOnDrift: true, retrainCoolDownMs: 1_000, rollbackOnAlert: true, seed: 42, trace: {} },
        updatedAt: text,
      },
      features: [text, text],
    },
    { outputs: [{ name: text, kind: 'monitor', id: text }] },
  );

describe('the card of monitor', () => {
  it.each(hostileTexts)('shows %j as text', (text) => {
    const page = cardOf(text);
    expect(structureOf(page)).toEqual(structureOf(cardOf('a'.repeat(text.length))));
    expect(activeContent(page)).toEqual([]);
    expect(nestingFaults(page)).toEqual([]);
  });

  it('tells what is watched against what, and when it alarms', () => {
    const page = cardOf('flights');
    for (const fact of [
      'Revision 2 of flights',
      '400 predictions, at most 60 minutes',
      '2 of 3 windows',
      'critical',
    ])
      expect(page).toContain(fact);
  });
});
