import { monitoringEvents, type Window } from '@millrace/contracts/monitoring';
import { eventMessage } from '@millrace/service-kit';
import { isMuted, type MonitorDocument } from '../domain/monitor.ts';
import { isCool, reactions } from '../domain/reactions.ts';
import type { Dependencies } from './ports.ts';
import { countFired, isEnabled } from './reaction-switches.ts';
import { inRunTrace } from './run-trace.ts';

const reasonOf = (window: Window): string => {
  const features = new Set(window.drift.filter(({ drifted }) => drifted).map(({ feature }) => feature));
  return `drift of ${[...features].join(', ')} in window ${window.id}`;
};

/**
 * Asks for a new pipeline run after drift, unless the recipe, the reaction's switch, a mute or the cool-down
 * forbids it. The cool-down is stored with the request's event, so it survives a restart.
 */
export const requestRetraining = async (
  { collections, now }: Dependencies,
  monitor: MonitorDocument,
  window: Window,
): Promise<void> => {
  if (!window.drifted || !monitor.retrainOnDrift || isMuted(monitor, now())) return;
  if (!(await isEnabled(collections, reactions.retraining))) return;
  const { endpoint, project, retrainCoolDownMs } = monitor;
  const at = now();
  const request = { project, endpoint, windowId: window.id, reason: reasonOf(window) };
  const requested = await inRunTrace(monitor, 'request retraining', () =>
    collections.retrainings.update(endpoint, (last) => {
      if (last?.document.windowId === window.id || !isCool(last?.document.at, retrainCoolDownMs, at)) {
        return undefined;
      }
      return {
        document: { windowId: window.id, at },
        messages: [eventMessage(monitoringEvents.retrainingRequested, window.id, request)],
      };
    }),
  );
  const { windowId, at: requestedAt } = requested?.document ?? {};
  if (windowId === window.id && requestedAt === at)
    await countFired(collections, reactions.retraining, now());
};
