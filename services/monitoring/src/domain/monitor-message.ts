import type { Monitor, Rule as RuleMessage } from '@millrace/contracts/monitoring';
import { currentBinding, type MonitorDocument, type Rule } from './monitor.ts';

const toRuleMessage = (rule: Rule): RuleMessage => ({
  name: rule.name,
  check: rule.check,
  metric: rule.metric ?? '',
  threshold: rule.threshold,
  severity: rule.severity === 'critical' ? 'SEVERITY_CRITICAL' : 'SEVERITY_WARNING',
  fireAfter: rule.fireAfter,
  ofWindows: rule.ofWindows,
});

/** A monitor as the contract shows it. */
export const toMonitorMessage = (monitor: MonitorDocument): Monitor => {
  const binding = currentBinding(monitor);
  return {
    endpoint: monitor.endpoint,
    model: binding.model,
    modelVersion: binding.modelVersion,
    revision: binding.revision,
    datasetVersionId: binding.datasetVersionId,
    profileDigest: binding.profileDigest,
    windowRecords: monitor.windowRecords,
    windowMaxAgeSeconds: monitor.windowMaxAgeMs / 1000,
    drift: {
      falseAlarmRate: monitor.drift.falseAlarmRate,
      minEffect: monitor.drift.minEffect,
      features: [...monitor.drift.features],
    },
    rules: monitor.rules.map(toRuleMessage),
    retrainOnDrift: monitor.retrainOnDrift,
    retrainCoolDownSeconds: monitor.retrainCoolDownMs / 1000,
    project: monitor.project,
    mutedUntil: monitor.mutedUntil,
    updatedAt: monitor.updatedAt,
  };
};
