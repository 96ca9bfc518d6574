import { deploymentRules } from './deployment-rules.ts';
import { monitoringRules } from './monitoring-rules.ts';
import { pipelineRules } from './pipeline-rules.ts';
import { registryRules } from './registry-rules.ts';
import type { LineageRule } from './rule.ts';
import { trainingRules } from './training-rules.ts';

/** Every event that the graph is built from. */
export const lineageRules: readonly LineageRule[] = [
  ...trainingRules,
  ...pipelineRules,
  ...registryRules,
  ...deploymentRules,
  ...monitoringRules,
];
