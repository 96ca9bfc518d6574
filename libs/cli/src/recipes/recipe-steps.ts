import { type Recipe, stepNames } from '@millrace/recipe';

/** The steps that a recipe has, in their order. */
export const stepsOf = ({ steps }: Recipe): readonly string[] =>
  stepNames.filter((name) => steps[name] !== undefined);
