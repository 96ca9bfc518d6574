import { constants, monitorEventLoopDelay, PerformanceObserver, performance } from 'node:perf_hooks';
import { record } from './instruments.ts';
import { observeMetric } from './observed.ts';

/** Milliseconds between two looks at how late the event loop is. */
const resolutionMs = 20;

const nanosPerSecond = 1e9;

const gcKinds: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
};

let observing = false;

/** Measures the process itself, until it ends. */
export const observeProcess = (): void => {
  if (observing) return;
  observing = true;
  observeMemory();
  observeEventLoop();
  observeGarbageCollection();
};

const observeMemory = (): void => {
  const alone = (value: number) => [{ value, labels: {} }];
  observeMetric('millrace_build_info', () => [{ value: 1, labels: { node_version: process.version } }]);
  observeMetric('millrace_process_start_time_seconds', () => alone(performance.timeOrigin / 1000));
  observeMetric('millrace_process_cpu_seconds_total', () => {
    const { user, system } = process.cpuUsage();
    return alone((user + system) / 1e6);
  });
  observeMetric('millrace_process_resident_memory_bytes', () => alone(process.memoryUsage.rss()));
  observeMetric('millrace_process_heap_used_bytes', () => alone(process.memoryUsage().heapUsed));
  observeMetric('millrace_process_open_handles', () => alone(process.getActiveResourcesInfo().length));
};

const observeEventLoop = (): void => {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  observeMetric('millrace_process_event_loop_delay_seconds', () => {
    const seconds = (nanos: number) => Math.max(0, nanos / nanosPerSecond - resolutionMs / 1000);
    const quantiles = [
      { value: seconds(delay.percentile(50)), labels: { quantile: '0.5' } },
      { value: seconds(delay.percentile(99)), labels: { quantile: '0.99' } },
      { value: seconds(delay.max), labels: { quantile: '1' } },
    ];
    delay.reset();
    return quantiles;
  });
  let last = performance.eventLoopUtilization();
  observeMetric('millrace_process_event_loop_utilization_ratio', () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return [{ value: utilization, labels: {} }];
  });
};

const observeGarbageCollection = (): void => {
  const pauses = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      // The types of Node know no detail of an entry.
      const { kind = 0 } = (entry as { detail?: { kind?: number } }).detail ?? {};
      const labels = { kind: gcKinds[kind] ?? 'other' };
      record('millrace_process_gc_duration_seconds', entry.duration / 1000, labels);
    }
  });
  pauses.observe({ entryTypes: ['gc'] });
};
