import type { Metric } from '@millrace/contracts/training';
import type { FitStep } from '@millrace/modeling';

/** Losses by step as metrics with a history. */
export const stepMetrics = (steps: readonly FitStep[], now: number): Metric[] => {
  const time = new Date(now).toISOString();
  return steps.flatMap(({ step, trainingLoss, validationLoss }) => [
    { key: 'training_loss', value: trainingLoss, step, time },
    ...(validationLoss === undefined ? [] : [{ key: 'val_loss', value: validationLoss, step, time }]),
  ]);
};
