import {
  columns,
  type DataRows,
  dataTable,
  facts,
  formatNumber,
  preformatted,
  profileSection,
  schemaTable,
  subheading,
} from '@millrace/cards';
import type { StepCommand } from '@millrace/contracts/step';
import { type StepResult, stepCard } from '@millrace/service-kit';
import type { Comparison } from '@millrace/tabular';

interface SchemaColumn {
  readonly name: string;
  readonly type: string;
}

/** All that the card of a transform step shows, of whichever runtime. */
export interface TransformFacts {
  /** `auto`, `custom:make_transformer`, `none`. */
  readonly using: string;
  /** The fitted transformer as text: its steps and what it learned. */
  readonly description: string;
  /** Training rows that it was fitted on. */
  readonly rows: number;
  readonly inputSchema: readonly SchemaColumn[];
  readonly outputSchema: readonly SchemaColumn[];
  /** The transformed training data. */
  readonly transformed: { readonly profile?: Comparison; readonly preview: DataRows };
}

/** The card of the step `transform`. */
export const transformCard = (
  command: StepCommand,
  { using, description, rows, inputSchema, outputSchema, transformed }: TransformFacts,
  { outputs, warnings = [] }: StepResult,
): string => {
  const { profile, preview } = transformed;
  return stepCard(command, {
    title: 'Transform',
    subtitle: `${formatNumber(inputSchema.length)} columns become ${formatNumber(outputSchema.length)}`,
    badge:
      warnings.length === 0 ? { text: 'Succeeded', tone: 'good' } : { text: 'With warnings', tone: 'warn' },
    sections: [
      {
        title: 'Transformer',
        content: [
          facts([
            ['Transformer', using],
            ['Fitted on', `${formatNumber(rows)} training rows`],
          ]),
          ...(description === '' ? [] : [preformatted(description)]),
        ],
      },
      {
        title: 'Schema',
        content: [
          columns([
            [subheading('Before'), schemaTable(inputSchema)],
            [subheading('After'), schemaTable(outputSchema)],
          ]),
        ],
      },
      profile === undefined ? undefined : profileSection({ title: 'Transformed training data', profile }),
      preview.rows.length === 0
        ? undefined
        : { title: 'First transformed rows', content: dataTable(preview) },
    ],
    warnings,
    outputs,
  });
};
