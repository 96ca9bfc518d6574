import type { RecipeContext, StepCommand } from '@millrace/contracts/step';
import { Invalid } from '@millrace/errors';
import type { TargetRequirement } from '../domain/target.ts';

/** The recipe's context of a command. Throws `Invalid` when the command carries none. */
export const requireRecipe = ({ recipe }: StepCommand): RecipeContext => {
  if (recipe !== undefined) return recipe;
  throw Invalid.field('recipe', 'is required');
};

/** What the recipe asks of the target column. */
export const targetRequirement = (command: StepCommand): TargetRequirement => {
  const { task, targetColumn, positiveClass } = requireRecipe(command);
  return { task, column: targetColumn, positiveClass };
};
