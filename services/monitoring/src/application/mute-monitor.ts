import { Invalid, NotFound } from '@millrace/errors';
import type { MonitorDocument } from '../domain/monitor.ts';
import type { Collections } from './ports.ts';

/** Raises no alerts and asks for no retraining until then; a time in the past unmutes. Throws `NotFound`. */
export const muteMonitor = async (
  { monitors }: Collections,
  endpoint: string,
  until: string,
  now: number,
): Promise<MonitorDocument> => {
  if (Number.isNaN(Date.parse(until))) throw Invalid.field('until', `"${until}" is no time`);
  const stored = await monitors.update(endpoint, (current) => {
    if (current === undefined) return undefined;
    const { mutedUntil: _before, ...rest } = current.document;
    const muted = Date.parse(until) > now ? { mutedUntil: until } : {};
    return { document: { ...rest, ...muted, updatedAt: new Date(now).toISOString() } };
  });
  if (stored === undefined) throw new NotFound(`nobody monitors the endpoint "${endpoint}"`);
  return stored.document;
};
