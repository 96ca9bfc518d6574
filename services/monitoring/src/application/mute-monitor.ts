import type { Actor } from '@millrace/contracts/common';
import { monitoringEvents } from '@millrace/contracts/monitoring';
import { Invalid, NotFound } from '@millrace/errors';
import { eventMessage } from '@millrace/service-kit';
import type { MonitorDocument } from '../domain/monitor.ts';
import { toMonitorMessage } from '../domain/monitor-message.ts';
import type { Collections } from './ports.ts';

export interface Mute {
  readonly endpoint: string;
  /** A time; in the past it unmutes. */
  readonly until: string;
  readonly actor: Actor | undefined;
}

/** Raises no alerts and asks for no retraining until then. Throws `NotFound`. */
export const muteMonitor = async (
  { monitors }: Collections,
  { endpoint, until, actor }: Mute,
  now: number,
): Promise<MonitorDocument> => {
  if (Number.isNaN(Date.parse(until))) throw Invalid.field('until', `"${until}" is no time`);
  const stored = await monitors.update(endpoint, (current) => {
    if (current === undefined) return undefined;
    const { mutedUntil: _before, ...rest } = current.document;
    const muted = Date.parse(until) > now ? { mutedUntil: until } : {};
    const document = { ...rest, ...muted, updatedAt: new Date(now).toISOString() };
    const monitor = toMonitorMessage(document);
    return {
      document,
      messages: [eventMessage(monitoringEvents.monitorMuted, endpoint, { monitor, actor })],
    };
  });
  if (stored === undefined) throw new NotFound(`nobody monitors the endpoint "${endpoint}"`);
  return stored.document;
};
