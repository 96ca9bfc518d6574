import { type DataRows, dataTable, facts, formatNumber, profileSection } from '@millrace/cards';
import type { StepCommand } from '@millrace/contracts/step';
import { type StepResult, stepCard } from '@millrace/service-kit';
import type { DatasetProfile } from '@millrace/tabular';

/** All that the card of a batch scoring shows. */
export interface PredictFacts {
  /** Scored rows. */
  readonly rowCount: number;
  /** `flights/3` or the model's address as the recipe has it. */
  readonly model: string;
  /** Where the scored data went, and in which format. */
  readonly output: string;
  readonly format: string;
  /** Of the scored rows or a sample of them; absent when the recipe skips profiling. */
  readonly profile?: DatasetProfile;
  readonly preview: DataRows;
}

/** The card of the step `predict`. */
export const predictCard = (
  command: StepCommand,
  { rowCount, model, output, format, profile, preview }: PredictFacts,
  { outputs, warnings = [] }: StepResult,
): string =>
  stepCard(command, {
    title: 'Batch scoring',
    subtitle: `${formatNumber(rowCount)} rows by ${model}`,
    badge: { text: 'Succeeded', tone: 'good' },
    sections: [
      {
        title: 'Summary',
        content: [
          facts([
            ['Rows', formatNumber(rowCount)],
            ['Model', model],
            ['Written to', output],
            ['Format', format],
          ]),
        ],
      },
      profile === undefined
        ? undefined
        : profileSection({
            title: 'Scored data',
            profile,
            ...(profile.rowCount < rowCount
              ? { remark: `From ${formatNumber(profile.rowCount)} of ${formatNumber(rowCount)} rows.` }
              : {}),
          }),
      preview.rows.length === 0 ? undefined : { title: 'First rows', content: dataTable(preview) },
    ],
    warnings,
    outputs,
  });
