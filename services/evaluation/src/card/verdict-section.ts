import { badge, type CardSection, formatNumber, paragraph, table } from '@millrace/cards';
import type { Evaluation } from './evaluation.ts';

/** What was demanded and whether it is met. */
export const verdictSection = ({ outcomes }: Evaluation): CardSection => {
  const failed = outcomes.filter(({ passed }) => !passed).length;
  const summary =
    outcomes.length === 0
      ? 'The recipe has no validation criteria, so the model is neither validated nor rejected.'
      : failed === 0
        ? `The model meets ${outcomes.length === 1 ? 'the only criterion' : `all ${outcomes.length} criteria`} of the recipe.`
        : `The model fails ${failed} of ${outcomes.length} criteria and is not registered.`;
  return {
    title: 'Verdict',
    content: [paragraph(summary), ...(outcomes.length === 0 ? [] : [gateTable(outcomes)])],
  };
};

const gateTable = (outcomes: Evaluation['outcomes']) =>
  table({
    columns: [
      { title: 'Gate' },
      { title: 'Criterion' },
      { title: 'Observed', numeric: true },
      { title: 'Limit', numeric: true },
      { title: 'Why' },
    ],
    rows: outcomes.map(({ gate, description, observed, passed, reason }) => [
      badge(passed ? 'passed' : 'failed', passed ? 'good' : 'bad'),
      description,
      formatNumber(observed),
      formatNumber(gate.limit),
      reason,
    ]),
  });
