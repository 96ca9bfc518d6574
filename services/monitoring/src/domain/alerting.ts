import type { Alert } from '@millrace/contracts/monitoring';
import type { TaskDefinition } from '@millrace/metrics';
import { currentBinding, type MonitorDocument, type Rule } from './monitor.ts';
import { judgeWindow, type Verdict } from './verdict.ts';
import type { WindowReport } from './window-report.ts';

export type AlertDecision =
  | { readonly kind: 'raise'; readonly report: WindowReport; readonly verdict: Verdict }
  | { readonly kind: 'resolve' }
  | { readonly kind: 'keep' };

const keep: AlertDecision = { kind: 'keep' };

/**
 * Whether a rule's alert begins or ends, from the latest windows, newest first; windows that cannot be judged do
 * not count. It begins when the newest window and `fireAfter` of the last `ofWindows` break the rule, and ends
 * after `fireAfter` windows in a row that keep it, so that one good window amid bad ones ends nothing.
 */
export const decideAlert = (
  rule: Rule,
  newestFirst: readonly WindowReport[],
  task: TaskDefinition,
  open: boolean,
): AlertDecision => {
  const judged = newestFirst.flatMap((report) => {
    const verdict = judgeWindow(rule, report, task);
    return verdict === undefined ? [] : [{ report, verdict }];
  });
  const [newest] = judged;
  if (newest === undefined) return keep;
  if (open) {
    const latest = judged.slice(0, rule.fireAfter);
    const calm = latest.length === rule.fireAfter && latest.every(({ verdict }) => !verdict.broken);
    return calm ? { kind: 'resolve' } : keep;
  }
  const broken = judged.slice(0, rule.ofWindows).filter(({ verdict }) => verdict.broken).length;
  return newest.verdict.broken && broken >= rule.fireAfter ? { kind: 'raise', ...newest } : keep;
};

/** Windows that `decideAlert` may need to see for a monitor's rules. */
export const windowsNeeded = (rules: readonly Rule[]): number =>
  Math.max(1, ...rules.map(({ ofWindows, check }) => (check === 'performance' ? 100 : ofWindows)));

/** The alert of a broken rule. Its id is the same whenever the same window is judged again. */
export const newAlert = (
  monitor: MonitorDocument,
  rule: Rule,
  { report: { window }, verdict }: { readonly report: WindowReport; readonly verdict: Verdict },
  at: string,
): Alert => {
  const { model, modelVersion, revision } = currentBinding(monitor);
  return {
    id: `${monitor.endpoint}/${rule.name}/${window.number}.${window.version}`,
    endpoint: monitor.endpoint,
    rule: rule.name,
    severity: rule.severity === 'critical' ? 'SEVERITY_CRITICAL' : 'SEVERITY_WARNING',
    state: 'ALERT_STATE_RAISED',
    summary: verdict.summary,
    evidence: [...verdict.evidence],
    windowId: window.id,
    model,
    modelVersion,
    revision: verdict.revision ?? revision,
    project: monitor.project,
    raisedAt: at,
    resolvedAt: undefined,
    observed: verdict.observed,
    threshold: verdict.threshold,
    keepRollout: !monitor.rollbackOnAlert,
  };
};
