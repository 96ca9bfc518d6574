/**
 * How long the embedded mode takes from the start of its process to the message that every service is ready, as
 * `millrace up` waits for it: on an empty data directory (stores, streams and consumers are made), and on one
 * that was used before. The broker's start is part of it. Checked: the gateway answers that all is ready.
 */

import { testBroker } from '@millrace/broker';
import { atMost, type Benchmark, median, mustHold } from './harness/benchmark.ts';
import { inDirectory, startEmbedded } from './harness/embedded.ts';
import { nodeStartMs } from './harness/floors.ts';

const repeats = 7;

const brokerStartMs = async (): Promise<number> => {
  const startedAt = performance.now();
  const broker = await testBroker();
  const took = performance.now() - startedAt;
  await broker.stop();
  return took;
};

export const benchmark: Benchmark = {
  name: 'start',
  title: 'the embedded mode from its start to ready',
  run: ({ env, note }) =>
    inDirectory(async (directory) => {
      const start = async (dataDir: string): Promise<number> => {
        const millrace = await startEmbedded({ dataDir, env });
        const answer = await fetch(`${millrace.url}/health/ready`);
        const text = await answer.text();
        await millrace.stop();
        mustHold(answer.ok, () => `said to be ready, but answers ${answer.status}: ${text}`);
        return millrace.readyMs;
      };
      await start(`${directory}/warm-up`);
      const fresh: number[] = [];
      const existing: number[] = [];
      const brokers: number[] = [];
      for (let i = 0; i < repeats; i += 1) {
        fresh.push(await start(`${directory}/${i}`));
        existing.push(await start(`${directory}/${i}`));
        brokers.push(await brokerStartMs());
        note(`${Math.round(fresh.at(-1) ?? 0)} ms fresh, ${Math.round(existing.at(-1) ?? 0)} ms existing`);
      }
      const floor = `node ${Math.round(nodeStartMs())} ms + broker ${Math.round(median(brokers))} ms`;
      return [
        { measure: 'start to ready, fresh data', unit: 'ms', values: fresh, target: atMost(3_000), floor },
        {
          measure: 'start to ready, existing data',
          unit: 'ms',
          values: existing,
          target: atMost(3_000),
          floor,
        },
      ];
    }),
};
