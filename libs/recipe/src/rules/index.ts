import type { Problem } from '../document/config.ts';
import { codeFilesRule, ingestRule, predictRule, splitRule } from './data-rules.ts';
import { evaluateRule, taskRule, trainRule, transformRule, tuningRule } from './model-rules.ts';
import type { Rule, RuleInput } from './rule.ts';
import { deployRule, monitorRule, registerRule } from './serving-rules.ts';

const rules: readonly Rule[] = [
  taskRule,
  ingestRule,
  predictRule,
  splitRule,
  transformRule,
  trainRule,
  tuningRule,
  evaluateRule,
  registerRule,
  deployRule,
  monitorRule,
  codeFilesRule,
];

/** Everything wrong that takes more than one key to see. The content must satisfy the schema. */
export const checkRules = (input: RuleInput): readonly Problem[] => rules.flatMap((rule) => [...rule(input)]);
