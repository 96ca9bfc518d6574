import { count, type Measurement, observeMetric } from '@millrace/telemetry';
import type { WindowReport } from '../domain/window-report.ts';
import type { Collections } from './ports.ts';

/** Features of an endpoint that are shown: those of the largest effect. */
const shownFeatures = 20;

interface LatestWindow {
  readonly psi: readonly Measurement<'millrace_drift_psi'>[];
  readonly drifted: number;
}

const severities = ['warning', 'critical'] as const;

/** Alerts that are looked at; one per rule of an endpoint is open at a time. */
const alertsLookedAt = 1000;

const openAlerts = async ({ alerts }: Pick<Collections, 'alerts'>) => {
  const { items } = await alerts.find({
    filter: { field: 'status', op: 'eq', value: 'open' },
    limit: alertsLookedAt,
  });
  return severities.map((severity) => ({
    value: items.filter(({ document }) => document.alert.severity === `SEVERITY_${severity.toUpperCase()}`)
      .length,
    labels: { severity },
  }));
};

/** Shows what the latest closed window of each endpoint says, and the alerts that are open. */
export class DriftMetrics {
  readonly #latest = new Map<string, LatestWindow>();
  readonly #stops: readonly (() => void)[];

  constructor(collections: Pick<Collections, 'alerts'>) {
    this.#stops = [
      observeMetric('millrace_drift_psi', () => [...this.#latest.values()].flatMap(({ psi }) => psi)),
      observeMetric('millrace_drift_features_drifted', () =>
        [...this.#latest].map(([endpoint, { drifted }]) => ({ value: drifted, labels: { endpoint } })),
      ),
      observeMetric('millrace_drift_alerts_open', () => openAlerts(collections)),
    ];
  }

  windowClosed({ window: { endpoint, drift, drifted } }: WindowReport): void {
    const outcome = drifted ? 'drifted' : 'stable';
    count('millrace_drift_windows_closed_total', { endpoint, outcome });
    const strongest = [...drift].sort((a, b) => b.psi - a.psi).slice(0, shownFeatures);
    this.#latest.set(endpoint, {
      psi: strongest.map(({ feature, psi }) => ({ value: psi, labels: { endpoint, feature } })),
      drifted: drift.filter((result) => result.drifted).length,
    });
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }
}
