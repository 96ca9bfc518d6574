import { activeContent, hostileTexts, nestingFaults, structureOf } from '@millrace/cards/testing';
import { StepCommand } from '@millrace/contracts/step';
import { describe, expect, it } from 'vitest';
import { predictCard } from '../src/card/predict-card.ts';

const cardOf = (text: string): string =>
  predictCard(
    StepCommand.fromPartial({ pipelineRunId: text, step: 'predict', project: { project: text } }),
    {
      ...{ rowCount: 20_000, model: text, output: text, format: text },
      profile: {
        version: 1,
        rowCount: 4,
        columns: [
          {
            ...{ name: text, type: 'string', count: 3, missing: 1, distinct: 1, distinctApproximate: false },
            categorical: { top: [{ value: text, count: 3 }], other: 0 },
          },
        ],
      },
      preview: { columns: [{ name: text }], rows: [[text]] },
    },
    { outputs: [{ name: text, kind: 'scored_data', id: text }], warnings: [text] },
  );

describe('the card of predict', () => {
  it.each(hostileTexts)('shows %j as text', (text) => {
    const page = cardOf(text);
    expect(structureOf(page)).toEqual(structureOf(cardOf('a'.repeat(text.length))));
    expect(activeContent(page)).toEqual([]);
    expect(nestingFaults(page)).toEqual([]);
  });

  it('says when its profile is that of a sample', () => {
    expect(cardOf('flights')).toContain('From 4 of 20,000 rows.');
  });
});
