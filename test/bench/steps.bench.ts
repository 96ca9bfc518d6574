/**
 * What one step costs beyond its work: runs of six steps, each an empty function, by the whole step protocol with real
 * broker, stores and blobs, in one process as in the embedded mode. Per step: the worker commits its result with the
 * event, the relay publishes it, the pipeline accepts it, asks the cache (each run has another fingerprint, so it
 * misses), commits the next step with its command, the relay publishes that, the next worker claims it and begins.
 *
 * Measured from the end of one step's work to the end of the next one's. A run has five such hand-overs; one repeat is
 * the mean of 40 of them. Warm: the work is nothing. Fresh process: the work is a job of `libs/jobs` in a new Node
 * process that does nothing. Checked: every run succeeded, each step was done once and in order.
 */
import { runJob } from '@millrace/jobs';
import { startTelemetry } from '@millrace/telemetry';
import { atMost, type Benchmark, type Figure, mustHold } from './harness/benchmark.ts';
import { inDirectory } from './harness/embedded.ts';
import { nodeStartMs } from './harness/floors.ts';
import { shortNumber } from './harness/report.ts';
import { bareStepMs } from './steps/floor.ts';
import { startStepPlatform } from './steps/platform.ts';
import { stepNames } from './steps/workers.ts';

const repeats = 7;
const runsPerRepeat = 8;
const handovers = runsPerRepeat * (stepNames.length - 1);

const emptyJob = new URL('./steps/empty.job.ts', import.meta.url);

interface Done {
  readonly run: string;
  readonly step: string;
  readonly at: number;
}

interface Measured {
  /** Mean milliseconds per step, by repeat. */
  readonly perStep: readonly number[];
  /** Processor time of this process per step of all runs, milliseconds, by repeat: what a busy machine changes least. */
  readonly cpuPerStep: readonly number[];
  readonly bareMs: number;
}

const measure = (work: () => Promise<unknown>, note: (text: string) => void): Promise<Measured> =>
  inDirectory(async (directory) => {
    const done: Done[] = [];
    const platform = await startStepPlatform(directory, async ({ command }) => {
      await work();
      done.push({ run: command.pipelineRunId, step: command.step, at: performance.now() });
      // A reference to nothing stored, so that the next steps' fingerprints differ from run to run.
      return { outputs: [{ name: command.step, kind: 'artifact', id: command.pipelineRunId }] };
    });
    try {
      for (let i = 0; i < runsPerRepeat; i += 1) await platform.run();
      const perStep: number[] = [];
      const cpuPerStep: number[] = [];
      for (let i = 0; i < repeats; i += 1) {
        done.length = 0;
        const cpuBefore = process.cpuUsage();
        for (let run = 0; run < runsPerRepeat; run += 1) await platform.run();
        const { user, system } = process.cpuUsage(cpuBefore);
        cpuPerStep.push((user + system) / 1_000 / done.length);
        const times = handoverTimes(done);
        perStep.push(times.reduce((sum, ms) => sum + ms, 0) / times.length);
        note(`${shortNumber(perStep[i] ?? 0)} ms per step`);
      }
      return { perStep, cpuPerStep, bareMs: await bareStepMs(platform.natsUrl, directory) };
    } finally {
      await platform.stop();
    }
  });

const handoverTimes = (done: readonly Done[]): readonly number[] => {
  const times = done.flatMap((entry, i) => {
    const before = done[i - 1];
    const expected = stepNames[i % stepNames.length];
    mustHold(entry.step === expected, () => `${entry.step} was done where ${expected} was due`);
    return before?.run === entry.run ? [entry.at - before.at] : [];
  });
  mustHold(times.length === handovers, () => `${times.length} hand-overs where ${handovers} were due`);
  return times;
};

export const benchmark: Benchmark = {
  name: 'steps',
  title: 'one step of a pipeline beyond its work',
  run: async ({ note }): Promise<readonly Figure[]> => {
    const telemetry = startTelemetry({ defaultService: 'bench', env: {} });
    const warm = await measure(async () => {}, note);
    const fresh = await measure(() => runJob({ entry: emptyJob, input: null }), note);
    await telemetry.shutdown();
    const bare = `4 commits + 2 messages ${shortNumber(warm.bareMs)} ms`;
    return [
      { measure: 'per step, warm', unit: 'ms', values: warm.perStep, target: atMost(10), floor: bare },
      { measure: 'per step, warm: processor time', unit: 'ms', values: warm.cpuPerStep },
      {
        measure: 'per step, fresh Node process',
        unit: 'ms',
        values: fresh.perStep,
        target: atMost(70),
        floor: `${bare} + node ${shortNumber(nodeStartMs())} ms`,
      },
    ];
  },
};
