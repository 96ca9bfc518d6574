/**
 * Memory of the idle embedded mode: the resident set sizes of its whole process tree, the broker included, ten
 * seconds after it was ready and nothing was asked of it. The proportional set sizes, in which pages shared with
 * other processes count by share, are shown beside it. Each repeat is a new start on an empty data directory.
 * Checked: the tree holds the broker, and all is still ready.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { atMost, type Benchmark, mustHold } from './harness/benchmark.ts';
import { inDirectory, startEmbedded } from './harness/embedded.ts';
import { memoryOf, processTree } from './harness/process-tree.ts';

const repeats = 3;
const idleMs = 10_000;

/** A Node process that only waits. */
const bareNodeMb = async (): Promise<number> => {
  const child = spawn(process.execPath, ['-e', 'process.stdout.write("up"); setTimeout(() => {}, 60_000)']);
  await once(child.stdout, 'data');
  const { rssMb } = memoryOf(child.pid ?? 0);
  child.kill('SIGKILL');
  return rssMb;
};

export const benchmark: Benchmark = {
  name: 'memory',
  title: 'the idle embedded mode',
  run: ({ env, note }) =>
    inDirectory(async (directory) => {
      const pss: number[] = [];
      const rss: number[] = [];
      let brokerMb = 0;
      for (let i = 0; i < repeats; i += 1) {
        const millrace = await startEmbedded({ dataDir: `${directory}/${i}`, env });
        await sleep(idleMs);
        const parts = processTree(millrace.pid).map(memoryOf);
        const { ok, status } = await fetch(`${millrace.url}/health/ready`);
        await millrace.stop();
        const broker = parts.find(({ name }) => name.startsWith('nats-server'));
        mustHold(ok, () => `was not ready after ${idleMs} ms: ${status}`);
        mustHold(broker !== undefined, () => 'no broker among its processes');
        brokerMb = broker?.rssMb ?? 0;
        pss.push(parts.reduce((sum, { pssMb }) => sum + pssMb, 0));
        rss.push(parts.reduce((sum, { rssMb }) => sum + rssMb, 0));
        note(parts.map(({ name, rssMb }) => `${name} ${Math.round(rssMb)} MB`).join(', '));
      }
      const floor = `bare node ${Math.round(await bareNodeMb())} MB + broker ${Math.round(brokerMb)} MB`;
      return [
        { measure: 'idle memory, whole tree (RSS)', unit: 'MB', values: rss, target: atMost(350), floor },
        { measure: 'idle memory, whole tree (PSS)', unit: 'MB', values: pss },
      ];
    }),
};
