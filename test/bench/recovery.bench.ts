/**
 * Recovery from faults: the fault tests are run, one after another, and say how long it took from the end of the fault until
 * every service was ready and a write of each kind was acknowledged. One value per file: the longest of its recoveries.
 * Checked by the tests themselves: nothing acknowledged is missing, nothing took effect twice. All are run although one
 * failed, which makes the whole void. `MILLRACE_BENCH_FAULTS` (`f02|f09`) chooses files by a regular expression.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { atMost, type Benchmark, type Figure, mustHold } from './harness/benchmark.ts';

const targetSeconds = 30;
const chosen = new RegExp(process.env.MILLRACE_BENCH_FAULTS ?? '');
const directory = join(import.meta.dirname, '../faults');
/** `F2 broker killed: tried 120, …, recovered in 1.2 s (seed 7)` */
const counts = /^(F\S+) (.*): tried .* recovered in ([\d.]+) s/;

interface Tried {
  readonly figures: readonly Figure[];
  readonly passed: boolean;
}

const tryFault = async (file: string, env: NodeJS.ProcessEnv): Promise<Tried> => {
  const child = spawn('vitest', ['run', join('test', 'faults', file)], {
    cwd: join(directory, '../..'),
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close') as Promise<[number | null]>;
  const figures: Figure[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const [, fault, title, seconds] = counts.exec(stripVTControlCharacters(line)) ?? [];
    if (seconds === undefined) continue;
    const measure = `recovery from ${fault}, ${title}`;
    figures.push({ measure, unit: 's', values: [Number(seconds)], target: atMost(targetSeconds) });
  }
  const [status] = await ended;
  return { figures, passed: status === 0 };
};

export const benchmark: Benchmark = {
  name: 'recovery',
  title: 'from the end of a fault to full service',
  run: async ({ note, env }) => {
    const all: Figure[] = [];
    const failed: string[] = [];
    for (const file of readdirSync(directory).sort()) {
      if (!file.endsWith('.spec.ts') || !chosen.test(file)) continue;
      const { figures, passed } = await tryFault(file, env);
      for (const { measure, values } of figures) note(`${measure}: ${values[0]} s`);
      all.push(...figures);
      if (passed) continue;
      note(`${file} failed`);
      failed.push(file);
    }
    mustHold(failed.length === 0, () => `failed: ${failed.join(', ')}`);
    return all;
  },
};
