/**
 * One measurement of the event path in a process of its own, since tracing is set up once per process. Every change is
 * made in a span, as a request is, and spans go to their stream, as a service's do; `OTEL_SDK_DISABLED=true` turns all
 * of it off. Sends rate and processor time to its parent.
 */
import { testBroker } from '@millrace/broker';
import { connectBus } from '@millrace/bus';
import { openSqliteStore } from '@millrace/store';
import { encodeSpanBatch, exportTo, inSpan, startTelemetry } from '@millrace/telemetry';
import { EventPath, entities, startConsumer } from '../events/path.ts';
import { mustHold } from '../harness/benchmark.ts';
import { inDirectory } from '../harness/embedded.ts';
import { processorMsOf } from '../harness/process-tree.ts';

const warmUp = 10_000;
const total = 30_000;

const telemetry = startTelemetry({ defaultService: 'bench', env: process.env });

const make = async (path: EventPath, from: number, to: number): Promise<void> => {
  for (let n = from; n < to; n += entities) {
    const count = Math.min(entities, to - n);
    await Promise.all(
      Array.from({ length: count }, (_, i) => inSpan('change', {}, () => path.change(n + i))),
    );
  }
  await path.allHandled(to);
};

const spent = await inDirectory(async (directory) => {
  const broker = await testBroker();
  const bus = await connectBus({ url: broker.url, service: 'bench' });
  exportTo((spans) => {
    bus.publishSpans(encodeSpanBatch(spans)).catch(() => {});
  });
  const open = (side: string) => openSqliteStore({ path: `${directory}/${side}.sqlite`, service: 'bench' });
  const path = EventPath.start(bus, await open('producer'), startConsumer(bus, await open('consumer')));
  try {
    await make(path, 0, warmUp);
    const before = processorMsOf(process.pid);
    const startedAt = performance.now();
    await make(path, warmUp, warmUp + total);
    const perSecond = (total * 1_000) / (performance.now() - startedAt);
    const cpuMicros = ((processorMsOf(process.pid) - before) * 1_000) / total;
    const { lost, doubled } = await path.mismatch(warmUp + total);
    mustHold(lost === 0 && doubled === 0, () => `${lost} events were lost, ${doubled} handled twice`);
    return { perSecond, cpuMicros };
  } finally {
    await telemetry.shutdown();
    await bus.drain();
    await path.close();
    await broker.stop();
  }
});
process.send?.(spent, () => process.exit(0));
