import { activeContent, hostileTexts, nestingFaults, structureOf } from '@millrace/cards/testing';
import { StepCommand } from '@millrace/contracts/step';
import { describe, expect, it } from 'vitest';
import { registerCard } from '../src/card/register-card.ts';
import { newModelVersion } from '../src/domain/model-version.ts';

const cardOf = (text: string, created = true): string =>
  registerCard(
    StepCommand.fromPartial({ pipelineRunId: text, step: 'register', project: { project: text } }),
    {
      version: newModelVersion(
        {
          ...{ model: text, digest: text, inputExample: [], tags: { [text]: text }, registeredAt: text },
          signature: {
            inputs: [{ name: text, type: text, required: true }],
            outputs: [{ name: text, type: text, required: false }],
          },
          origin: {
            ...{ trainingRunId: text, pipelineRunId: text, datasetVersionId: text },
            ...{ codeCommit: text, profileDigest: text },
          },
          evidence: { reportId: text, verdict: 'VALIDATED', metrics: { [text]: 0.5 } },
          registeredBy: { name: text, reason: text },
        },
        3,
      ),
      ...{ created, aliases: [text], flavors: [text] },
    },
    { outputs: [{ name: text, kind: 'model_version', id: text }], warnings: [text] },
  );

describe('the card of register', () => {
  it.each(hostileTexts)('shows %j as text', (text) => {
    const page = cardOf(text);
    expect(structureOf(page)).toEqual(structureOf(cardOf('a'.repeat(text.length))));
    expect(activeContent(page)).toEqual([]);
    expect(nestingFaults(page)).toEqual([]);
  });

  it('tells name, version, evidence and the way from data to version', () => {
    const page = cardOf('flights');
    for (const fact of [
      'flights/3, newly registered',
      'Validated',
      'From data to version',
      'Signature',
      'Flavors',
    ])
      expect(page).toContain(fact);
    expect(cardOf('flights', false)).toContain('registered before');
  });
});
