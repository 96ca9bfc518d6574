import { metrics } from '@opentelemetry/api';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { recordedText } from './metrics/instruments.ts';
import { observedText } from './metrics/observed.ts';
import { observeProcess } from './metrics/process-metrics.ts';

let reader: PrometheusExporter | undefined;

/** Installs the process's meter provider; measurements are read by `prometheusText`. */
export const startMetrics = (): void => {
  reader = new PrometheusExporter({ preventServerStart: true });
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  observeProcess();
};

/** Every measurement of this process in the Prometheus text format 0.0.4; empty before `startTelemetry`. */
export const prometheusText = async (): Promise<string> => {
  if (reader === undefined) return '';
  const { resourceMetrics } = await reader.collect();
  // Of other libraries. What a process is, the scrape configuration and the label `service` tell.
  const others = new PrometheusSerializer(undefined, false, undefined, true, true).serialize(resourceMetrics);
  return `${recordedText()}${await observedText()}${others}\n`;
};
