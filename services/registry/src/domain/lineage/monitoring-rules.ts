import { type Alert, monitoringEvents } from '@millrace/contracts/monitoring';
import { describeNode, type GraphChange, link } from './graph.ts';
import { type LineageRule, lineageRule } from './rule.ts';

const ofAlert = (alert: Alert | undefined): GraphChange => {
  if (alert === undefined) return {};
  return {
    nodes: describeNode('alert', alert.id, {
      endpoint: alert.endpoint,
      rule: alert.rule,
      severity: alert.severity.replace('SEVERITY_', ''),
      state: alert.state.replace('ALERT_STATE_', ''),
      summary: alert.summary,
      raisedAt: alert.raisedAt,
      resolvedAt: alert.resolvedAt,
    }),
    edges:
      alert.revision === 0
        ? []
        : link(['endpoint_revision', `${alert.endpoint}/${alert.revision}`], 'raised', ['alert', alert.id]),
  };
};

/** From a served revision to what was seen of it. */
export const monitoringRules: readonly LineageRule[] = [
  lineageRule(monitoringEvents.alertRaised, ({ alert }) => ofAlert(alert)),
  lineageRule(monitoringEvents.alertResolved, ({ alert }) => ofAlert(alert)),
];
