import type { Report } from '@millrace/contracts/evaluation';
import { FailedPrecondition } from '@millrace/errors';
import type { Verdict } from './model-version.ts';

/**
 * Whether an evaluation report lets a model become a version.
 * @throws FailedPrecondition when the report is about another model, a gate failed, or there was no gate and that
 * is not allowed. A failed gate is never allowed.
 */
export const judgeEvidence = (report: Report, modelDigest: string, allowNonValidated: boolean): Verdict => {
  if (report.modelDigest !== modelDigest) {
    throw new FailedPrecondition(
      `evaluation report ${report.id} is about model ${report.modelDigest}, not ${modelDigest}`,
      { hint: 'Evaluate the very model that is to be registered.' },
    );
  }
  if (report.verdict === 'VERDICT_VALIDATED') return 'VALIDATED';
  if (report.verdict === 'VERDICT_REJECTED') {
    const failed = report.gates.filter(({ passed }) => !passed).map(({ description }) => description);
    throw new FailedPrecondition(`the model failed its evaluation: ${failed.join('; ') || 'a gate failed'}`, {
      hint: `See evaluation report ${report.id}. A rejected model is never registered.`,
    });
  }
  if (allowNonValidated) return 'UNKNOWN';
  throw new FailedPrecondition(
    'the model was evaluated without any gate, so nothing says that it is good enough',
    {
      hint: 'Set `steps.evaluate.validation_criteria`, or `steps.register.allow_non_validated_model: true`.',
    },
  );
};

/** Metrics of the whole test split (else of the validation split) that have a value. */
export const headlineMetrics = ({ metrics }: Report): Readonly<Record<string, number>> => {
  const whole = metrics.filter(({ slice }) => slice === '');
  const set = whole.find(({ split }) => split === 'test') ?? whole[0];
  const finite = (set?.metrics ?? []).filter(({ value }) => Number.isFinite(value));
  return Object.fromEntries(finite.map(({ name, value }) => [name, value]));
};
