import { activeContent, hostileTexts, nestingFaults, structureOf } from '@millrace/cards/testing';
import { StepCommand } from '@millrace/contracts/step';
import type { Comparison, DatasetProfile } from '@millrace/tabular';
import { describe, expect, it } from 'vitest';
import { ingestCard } from '../src/card/ingest-card.ts';
import { splitCard } from '../src/card/split-card.ts';
import { OnViolation } from '../src/domain/contract.ts';

/** A command with `text` wherever somebody else's text stands. */
const commandOf = (text: string, step: string): StepCommand =>
  StepCommand.fromPartial({
    ...{ pipelineRunId: text, step, attempt: 2, actor: { name: text } },
    project: { project: text, manifestDigest: text, commit: text, dirtyDigest: text },
    recipe: { kind: text, profile: text, seed: 42 },
    inputs: [{ name: text, kind: text, id: text, digest: text, size: 3 }],
  });

const resultOf = (text: string) => ({
  outputs: [{ name: text, kind: 'split', id: text, digest: text, size: 12 }],
  warnings: [text],
});

const profileOf = (name: string): DatasetProfile => ({
  version: 1,
  rowCount: 4,
  columns: [
    {
      ...{ name, type: 'string', count: 3, missing: 1, distinct: 1, distinctApproximate: false },
      categorical: { top: [{ value: name, count: 3 }], other: 0 },
    },
  ],
});

const comparisonOf = (name: string): Comparison => ({
  names: ['train', 'validation', 'test'],
  rows: [2, 1, 1],
  columns: [
    {
      ...{ name, type: 'string', parts: [2, 1, 1].map((count) => ({ count, missing: 0 })) },
      categories: { values: [name], counts: [[2], [1], [1]], other: [0, 0, 0] },
    },
  ],
});

const cards = {
  ingest: (text: string) =>
    ingestCard(
      commandOf(text, 'ingest'),
      {
        datasetVersion: { id: text, version: 3 },
        rowCount: 4,
        quarantinedRows: 1,
        profile: profileOf(text),
        columns: [{ name: text, type: text, nullable: true }],
        preview: { columns: [{ name: text }], rows: [[text]] },
        findings: [
          { rule: text, onViolation: OnViolation.quarantine, violations: 1, examples: [text], message: text },
        ],
        sources: [{ location: text, digest: text, size: 1_500 }],
      },
      resultOf(`${text}, warned`),
    ),
  split: (text: string) =>
    splitCard(
      commandOf(text, 'split'),
      {
        rows: { train: 2, validation: 1, test: 1 },
        dropped: 7,
        filtered: 9,
        method: text,
        classes: { train: { [text]: 2 }, validation: { [text]: 1 }, test: { b: 1 } },
        leaks: { identicalRows: 5, sharedKeys: 0, timeOverlap: 0 },
        comparison: comparisonOf(text),
      },
      resultOf(text),
    ),
};

describe.each(Object.entries(cards))('the card of %s', (_, card) => {
  it.each(hostileTexts)('shows %j as text', (text) => {
    const page = card(text);
    expect(structureOf(page)).toEqual(structureOf(card('a'.repeat(text.length))));
    expect(activeContent(page)).toEqual([]);
    expect(nestingFaults(page)).toEqual([]);
  });

  it('is the same for the same input, and names run, origin and warnings', () => {
    const page = card('flights');
    expect(card('flights')).toBe(page);
    for (const part of ['Lineage and run', 'Warnings', 'millrace inspect flights'])
      expect(page).toContain(part);
  });
});

describe('the cards', () => {
  it('tell what was ingested, and what the contract set aside', () => {
    const page = cards.ingest('flights');
    for (const fact of ['Data contract', 'quarantine', 'Rows set aside', '1.5 kB', 'First rows', 'Schema'])
      expect(page).toContain(fact);
  });

  it('tell how rows were divided, and what may have leaked', () => {
    const page = cards.split('flights');
    for (const fact of [
      '50 %',
      'Classes',
      '2 (100 %)',
      'Leaks',
      'found',
      'Splits compared',
      'Rows filtered out',
    ])
      expect(page).toContain(fact);
  });

  it('leave out what the recipe does not want profiled', () => {
    const page = splitCard(
      commandOf('flights', 'split'),
      { rows: { train: 4, validation: 4, test: 4 }, dropped: 0, method: 'hash of the row' },
      { outputs: [] },
    );
    expect(page).not.toContain('Splits compared');
    expect(page).toContain('Succeeded');
  });
});
