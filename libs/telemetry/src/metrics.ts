import { metrics } from '@opentelemetry/api';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';

let reader: PrometheusExporter | undefined;

/** Installs the process's meter provider; measurements are read by `prometheusText`. */
export const startMetrics = (): void => {
  reader = new PrometheusExporter({ preventServerStart: true });
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
};

/** Every measurement of this process in the Prometheus text format; empty before `startTelemetry`. */
export const prometheusText = async (): Promise<string> => {
  if (reader === undefined) return '';
  const { resourceMetrics } = await reader.collect();
  return new PrometheusSerializer().serialize(resourceMetrics);
};
