import { type Alert, monitoringEvents } from '@millrace/contracts/monitoring';
import { eventMessage } from '@millrace/service-kit';
import { decideAlert, newAlert, windowsNeeded } from '../domain/alerting.ts';
import { currentBinding, isMuted, type MonitorDocument } from '../domain/monitor.ts';
import type { AlertDocument, Collections, Dependencies, WindowDocument } from './ports.ts';
import { inRunTrace } from './run-trace.ts';

const latestWindows = async (
  { windows }: Collections,
  endpoint: string,
  limit: number,
): Promise<readonly WindowDocument[]> => {
  const page = await windows.find({
    filter: { field: 'endpoint', op: 'eq', value: endpoint },
    sort: { field: 'number', direction: 'desc' },
    limit,
  });
  return page.items.map(({ document }) => document);
};

const openAlerts = async ({ alerts }: Collections, endpoint: string): Promise<readonly AlertDocument[]> => {
  const page = await alerts.find({
    filter: {
      and: [
        { field: 'endpoint', op: 'eq', value: endpoint },
        { field: 'status', op: 'eq', value: 'open' },
      ],
    },
    limit: 1000,
  });
  return page.items.map(({ document }) => document);
};

/** Stores the alert with its event, once. */
const raise = async ({ alerts }: Collections, alert: Alert, at: string): Promise<void> => {
  await alerts.update(alert.id, (current) =>
    current === undefined
      ? {
          document: { endpoint: alert.endpoint, rule: alert.rule, status: 'open', raisedAt: at, alert },
          messages: [eventMessage(monitoringEvents.alertRaised, alert.id, { alert })],
        }
      : undefined,
  );
};

const resolve = async ({ alerts }: Collections, id: string, at: string): Promise<void> => {
  await alerts.update(id, (current) => {
    if (current === undefined || current.document.status === 'resolved') return undefined;
    const alert: Alert = { ...current.document.alert, state: 'ALERT_STATE_RESOLVED', resolvedAt: at };
    return {
      document: { ...current.document, status: 'resolved', alert },
      messages: [eventMessage(monitoringEvents.alertResolved, id, { alert })],
    };
  });
};

/**
 * Raises and resolves alerts from the latest closed windows. One alert per rule is open at a time; a muted
 * monitor raises none. An alert whose rule is gone is resolved.
 */
export const evaluateAlerts = async (
  { collections, now }: Dependencies,
  monitor: MonitorDocument,
): Promise<void> => {
  const at = new Date(now()).toISOString();
  const latest = await latestWindows(collections, monitor.endpoint, windowsNeeded(monitor.rules));
  const open = await openAlerts(collections, monitor.endpoint);
  const { task } = currentBinding(monitor);
  const end = ({ alert }: AlertDocument) =>
    inRunTrace(monitor, 'resolve alert', () => resolve(collections, alert.id, at));
  for (const rule of monitor.rules) {
    const current = open.find((alert) => alert.rule === rule.name);
    const decision = decideAlert(rule, latest, task, current !== undefined);
    if (decision.kind === 'raise' && !isMuted(monitor, now())) {
      const alert = newAlert(monitor, rule, decision, at);
      await inRunTrace(monitor, 'raise alert', () => raise(collections, alert, at));
    }
    if (decision.kind === 'resolve' && current !== undefined) await end(current);
  }
  const rules = new Set(monitor.rules.map(({ name }) => name));
  for (const alert of open) if (!rules.has(alert.rule)) await end(alert);
};
