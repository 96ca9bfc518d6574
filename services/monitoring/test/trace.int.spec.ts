import { monitoringEvents } from '@millrace/contracts/monitoring';
import { startTelemetry, type Telemetry } from '@millrace/telemetry';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { batchesOf, makeFlights } from './flights.ts';
import { endpoint, Platform } from './platform.ts';

let telemetry: Telemetry;
let platform: Platform;

beforeAll(async () => {
  telemetry = startTelemetry({ defaultService: 'monitoring', env: {} });
  platform = await Platform.start();
});
afterAll(async () => {
  await platform.stop();
  await telemetry.shutdown();
});

it('an alert stands in the trace of the run that set the monitor up', async () => {
  await platform.bind({
    rules: [{ check: 'feature_drift' }],
    on_drift: 'retrain',
    rollback_on_alert: false,
  });
  await platform.publish(...batchesOf(makeFlights(200, 31, 6), endpoint));
  const traceOf = async (definition: Parameters<Platform['events']>[0]) => {
    const [event] = await platform.events(definition, 1);
    return event?.headers.traceparent?.split('-')[1];
  };
  const run = await traceOf(monitoringEvents.stepSucceeded);
  expect(run).toMatch(/^[0-9a-f]{32}$/);
  expect(await traceOf(monitoringEvents.alertRaised)).toBe(run);
  expect(await traceOf(monitoringEvents.retrainingRequested)).toBe(run);
  expect(await platform.alerts()).toMatchObject([{ keepRollout: true }]);
});
