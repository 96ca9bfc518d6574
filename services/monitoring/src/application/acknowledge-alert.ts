import type { Alert } from '@millrace/contracts/monitoring';
import { NotFound } from '@millrace/errors';
import type { Collections } from './ports.ts';

/** Marks an open alert as seen; a resolved one stays resolved. Throws `NotFound`. */
export const acknowledgeAlert = async ({ alerts }: Collections, id: string): Promise<Alert> => {
  const stored = await alerts.update(id, (current) => {
    if (current === undefined || current.document.alert.state !== 'ALERT_STATE_RAISED') return undefined;
    const alert: Alert = { ...current.document.alert, state: 'ALERT_STATE_ACKNOWLEDGED' };
    return { document: { ...current.document, alert } };
  });
  const alert = (stored ?? (await alerts.get(id)))?.document.alert;
  if (alert === undefined) throw new NotFound(`there is no alert "${id}"`);
  return alert;
};
