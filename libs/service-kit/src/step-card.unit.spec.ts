import { activeContent, hostileTexts, nestingFaults, structureOf } from '@millrace/cards/testing';
import { StepCommand } from '@millrace/contracts/step';
import { Invalid } from '@millrace/errors';
import { createLogger } from '@millrace/telemetry';
import { describe, expect, it } from 'vitest';
import { failureCard, withCard } from './step-card.ts';

const command = (text: string) =>
  StepCommand.fromPartial({ pipelineRunId: text, step: 'train', attempt: 2, project: { project: text } });

const cardOf = (text: string): string =>
  failureCard(
    command(text),
    new Invalid(text, {
      hint: text,
      violations: [{ path: text, message: text }],
      details: { stack: text, [text]: text },
    }),
    { outputs: [{ name: text, kind: text, id: text }], warnings: [text] },
  );

describe('the card of a failed step', () => {
  it.each(hostileTexts)('shows %j as text', (text) => {
    const page = cardOf(text);
    expect(structureOf(page)).toEqual(structureOf(cardOf('a'.repeat(text.length))));
    expect(activeContent(page)).toEqual([]);
    expect(nestingFaults(page)).toEqual([]);
  });

  it('tells error, place, frames and warnings', () => {
    const page = cardOf('steps/train.ts:3:9');
    for (const part of [
      'Failed',
      'What went wrong',
      'Stack trace',
      'Warnings',
      'attempt 2',
      'Lineage and run',
    ])
      expect(page).toContain(part);
  });

  it('has no empty parts', () => {
    const page = failureCard(command('run'), new Invalid('no rows'), undefined);
    for (const part of ['Stack trace', 'Warnings', 'Where']) expect(page).not.toContain(part);
  });
});

describe('a step whose card cannot be drawn', () => {
  const step = { log: createLogger('silent'), signal: new AbortController().signal };
  const blobs = { put: () => Promise.reject(new Error('nothing is to be stored')) };

  it('succeeds all the same, with a warning', async () => {
    const result = { outputs: [{ name: 'model', kind: 'model' }], warnings: ['few rows'] };
    const drawn = withCard(step, blobs, result, () => {
      throw new TypeError('x is undefined');
    });
    expect(await drawn).toEqual({
      ...result,
      warnings: ['few rows', 'the card could not be drawn: x is undefined'],
    });
  });

  it('fails as it was told to when it was told to stop', async () => {
    const signal = AbortSignal.abort(new Invalid('given up'));
    const drawn = withCard({ ...step, signal }, blobs, { outputs: [] }, () =>
      Promise.reject(new Error('late')),
    );
    await expect(drawn).rejects.toThrow('given up');
  });
});
