import type { Actor } from '@millrace/contracts/common';
import { type Alert, monitoringEvents } from '@millrace/contracts/monitoring';
import { NotFound } from '@millrace/errors';
import { eventMessage } from '@millrace/service-kit';
import type { Collections } from './ports.ts';

/** Marks an open alert as seen; a resolved one stays resolved. Throws `NotFound`. */
export const acknowledgeAlert = async (
  { alerts }: Collections,
  id: string,
  actor: Actor | undefined,
): Promise<Alert> => {
  const stored = await alerts.update(id, (current) => {
    if (current === undefined || current.document.alert.state !== 'ALERT_STATE_RAISED') return undefined;
    const alert: Alert = { ...current.document.alert, state: 'ALERT_STATE_ACKNOWLEDGED' };
    return {
      document: { ...current.document, alert },
      messages: [eventMessage(monitoringEvents.alertAcknowledged, id, { alert, actor })],
    };
  });
  const alert = (stored ?? (await alerts.get(id)))?.document.alert;
  if (alert === undefined) throw new NotFound(`there is no alert "${id}"`);
  return alert;
};
