import { statfs } from 'node:fs/promises';
import type { Bus } from '@millrace/bus';
import type { TlsStore } from '@millrace/certificates';
import type { DocumentStore } from '@millrace/store';
import { observeMetric } from '@millrace/telemetry';

export interface ServiceMetricsOptions {
  readonly service: string;
  readonly store: DocumentStore;
  readonly bus: Bus;
  readonly dataDir: string;
  readonly tls: TlsStore | undefined;
  readonly now: () => number;
}

/** Shows what every service has: outbox, store, disk, connection and certificate. Returns how to stop it. */
export const observeService = (options: ServiceMetricsOptions): (() => void) => {
  const { service, store, bus, dataDir, tls, now } = options;
  const labels = { service };
  const one = (value: number) => [{ value, labels }];
  const stops = [
    observeMetric('millrace_outbox_pending', async () => one((await store.outbox.stats()).pending)),
    observeMetric('millrace_outbox_oldest_pending_age_seconds', async () => {
      const { oldestPendingTime } = await store.outbox.stats();
      const ageMs = oldestPendingTime === undefined ? 0 : now() - Date.parse(oldestPendingTime);
      return one(Math.max(0, ageMs) / 1000);
    }),
    observeMetric('millrace_store_size_bytes', async () => one(await store.sizeBytes())),
    observeMetric('millrace_disk_free_bytes', async () => {
      const { bavail, bsize } = await statfs(dataDir);
      return one(bavail * bsize);
    }),
    observeMetric('millrace_disk_size_bytes', async () => {
      const { blocks, bsize } = await statfs(dataDir);
      return one(blocks * bsize);
    }),
    observeMetric('millrace_bus_connected', () => one(bus.status().connected ? 1 : 0)),
    observeMetric('millrace_certificate_expiry_timestamp_seconds', () => {
      const expires = tls?.current.expires;
      return expires === undefined ? [] : one(expires.getTime() / 1000);
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
};

/** Shows whether a service can work. Returns how to stop it. */
export const observeReadiness = (
  service: string,
  problems: () => Promise<Readonly<Record<string, string>>>,
): (() => void) =>
  observeMetric('millrace_service_ready', async () => {
    const ready = Object.keys(await problems()).length === 0;
    return [{ value: ready ? 1 : 0, labels: { service } }];
  });
