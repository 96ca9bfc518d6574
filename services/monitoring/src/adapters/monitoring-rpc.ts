import { MonitoringServiceService } from '@millrace/contracts/monitoring';
import { NotFound } from '@millrace/errors';
import { pageQuery, type RpcBinding, requireText, rpc } from '@millrace/service-kit';
import type { Filter } from '@millrace/store';
import { acknowledgeAlert } from '../application/acknowledge-alert.ts';
import type { EndpointLanes } from '../application/endpoint-lanes.ts';
import { getPrediction } from '../application/get-prediction.ts';
import { muteMonitor } from '../application/mute-monitor.ts';
import type { Collections, LabelRetention } from '../application/ports.ts';
import { listReactions, setReaction } from '../application/reaction-switches.ts';
import { toMonitorMessage } from '../domain/monitor-message.ts';

interface RpcDependencies {
  readonly collections: Collections;
  readonly lanes: EndpointLanes;
  readonly labelRetention: LabelRetention;
  readonly now: () => number;
}

const ofEndpoint = (endpoint: string): Filter => ({ field: 'endpoint', op: 'eq', value: endpoint });

const alertFilter = (endpoint: string, onlyOpen: boolean): { filter?: Filter } => {
  const conditions: Filter[] = [];
  if (endpoint !== '') conditions.push(ofEndpoint(endpoint));
  if (onlyOpen) conditions.push({ field: 'status', op: 'eq', value: 'open' });
  return conditions.length === 0 ? {} : { filter: { and: conditions } };
};

const nextPage = ({ nextCursor }: { readonly nextCursor?: string }) => ({ nextCursor: nextCursor ?? '' });

/** Answers `millrace.monitoring.v1.MonitoringService`. */
export const monitoringRpc = ({ collections, lanes, labelRetention, now }: RpcDependencies): RpcBinding =>
  rpc(MonitoringServiceService, {
    getMonitor: async ({ endpoint }) => {
      const found = await collections.monitors.get(requireText('endpoint', endpoint));
      if (found === undefined) throw new NotFound(`nobody monitors the endpoint "${endpoint}"`);
      return { monitor: toMonitorMessage(found.document) };
    },
    listMonitors: async ({ page }) => {
      const found = await collections.monitors.find(pageQuery(page));
      return {
        monitors: found.items.map(({ document }) => toMonitorMessage(document)),
        page: nextPage(found),
      };
    },
    listWindows: async ({ endpoint, page }) => {
      const found = await collections.windows.find({
        filter: ofEndpoint(requireText('endpoint', endpoint)),
        sort: { field: 'number', direction: 'desc' },
        ...pageQuery(page),
      });
      return { windows: found.items.map(({ document }) => document.window), page: nextPage(found) };
    },
    getWindow: async ({ id }) => {
      const found = await collections.windows.get(requireText('id', id));
      if (found === undefined) throw new NotFound(`there is no closed window "${id}"`);
      return { window: found.document.window };
    },
    listAlerts: async ({ endpoint, onlyOpen, page }) => {
      const found = await collections.alerts.find({
        ...alertFilter(endpoint, onlyOpen),
        sort: { field: 'raisedAt', direction: 'desc' },
        ...pageQuery(page),
      });
      return { alerts: found.items.map(({ document }) => document.alert), page: nextPage(found) };
    },
    acknowledgeAlert: async ({ id, actor }) => ({
      alert: await acknowledgeAlert(collections, requireText('id', id), actor),
    }),
    muteMonitor: async ({ endpoint, until, actor }) => {
      const command = {
        endpoint: requireText('endpoint', endpoint),
        until: requireText('until', until ?? ''),
        actor,
      };
      return { monitor: toMonitorMessage(await muteMonitor(collections, command, now())) };
    },
    submitLabels: ({ endpoint, labels }) => lanes.submitLabels(requireText('endpoint', endpoint), labels),
    getPrediction: async ({ id }) => ({
      prediction: await getPrediction(collections, labelRetention, requireText('id', id)),
    }),
    listReactions: async () => ({ reactions: await listReactions(collections) }),
    setReaction: async ({ name, enabled, actor }) => ({
      reaction: await setReaction(collections, requireText('name', name), enabled, actor),
    }),
  });
