/** The load generator as a process of its own: takes a `Load` from its parent, answers with autocannon's result. */
import autocannon from 'autocannon';
import type { Load } from './load.ts';

/** Milliseconds. It ends at a sample, so that long ones would round its duration up. */
const sampleInt = 5;

process.once('message', async ({ url, bodies, connections, amount }: Load) => {
  const requests = bodies.map((body) => ({ body }));
  const headers = { 'content-type': 'application/json' };
  const result = await autocannon({
    url,
    connections,
    amount,
    sampleInt,
    method: 'POST',
    headers,
    requests,
  });
  process.send?.(result, () => process.disconnect());
});
