/**
 * What the platform adds to a recipe: the flights example with its `baseline` profile (eight steps, search with eight
 * trials, approval, canary deployment, monitor), submitted and watched through the gateway of an embedded Millrace.
 *
 * Overhead = wall time from the call that submits the run to the update that says it ended, less the sum of
 * `Step.workMs`. `workMs` is the time in the step's handler at the worker: reading and writing blobs and Parquet,
 * starting child processes and the computing itself count as work; submitting, fingerprints and cache look-ups,
 * commands and events on their way, claims and commits, approval and the watching count as overhead.
 *
 * Each run has another seed, so each registers, approves and deploys a new model version. Two kinds of run: nothing
 * from the cache, and everything up to `register` from the cache (`deploy` and `monitor`
 * act on the live endpoint and are never cached, so they are left out there). Checked: the steps' states.
 */
import { createClient } from '@millrace/client';
import { StepState } from '@millrace/contracts/pipeline';
import { atMost, type Benchmark, mustHold } from './harness/benchmark.ts';
import { inDirectory, startEmbedded } from './harness/embedded.ts';
import {
  promoteFully,
  runFlights,
  stepsIn,
  type TimedRun,
  uploadFlights,
  workMsOf,
} from './harness/flights.ts';

const repeats = 7;
const stepCount = 8;
const lastCachedStep = 'register';
const cachedSteps = 6;

const overheadOf = ({ run, wallMs }: TimedRun): number => wallMs - workMsOf(run);

const described = ({ run, wallMs }: TimedRun): string =>
  `${Math.round(wallMs)} ms: ${run.steps
    .filter(({ workMs }) => workMs > 0)
    .map(({ name, workMs }) => `${name} ${Math.round(workMs)}`)
    .join(', ')}`;

export const benchmark: Benchmark = {
  name: 'run-overhead',
  title: 'a whole recipe, less the work of its steps',
  run: ({ env, note }) =>
    inDirectory(async (directory) => {
      const millrace = await startEmbedded({ dataDir: `${directory}/data`, env });
      const client = createClient({ url: millrace.url });
      const uncached: TimedRun[] = [];
      const cached: TimedRun[] = [];
      try {
        const project = `${directory}/project`;
        const warmUp = await uploadFlights(client, project);
        await runFlights(client, { snapshot: warmUp, noCache: true });
        for (let i = 0; i < repeats; i += 1) {
          const snapshot = await uploadFlights(client, project, i);
          const full = await runFlights(client, { snapshot, noCache: true });
          const reused = await runFlights(client, { snapshot, noCache: false, toStep: lastCachedStep });
          // Another champion is another input of the evaluation, so the canary waits until here.
          await promoteFully(client);
          const done = stepsIn(full.run, StepState.STEP_STATE_SUCCEEDED);
          const fromCache = stepsIn(reused.run, StepState.STEP_STATE_CACHED);
          mustHold(done.length === stepCount, () => `only ${done.join(', ')} were done`);
          mustHold(
            fromCache.length === cachedSteps,
            () => `only ${fromCache.join(', ')} came from the cache`,
          );
          uncached.push(full);
          cached.push(reused);
          note(`${described(full)}; cached ${Math.round(reused.wallMs)} ms`);
        }
      } finally {
        await client.close();
        await millrace.stop();
      }
      return [
        {
          measure: 'whole run: platform overhead',
          unit: 'ms',
          values: uncached.map(overheadOf),
          target: atMost(1_000),
          floor: `its steps' own work ${Math.round(workMsOf((uncached[0] as TimedRun).run))} ms`,
        },
        {
          measure: 'fully cached run (6 steps): wall time',
          unit: 'ms',
          values: cached.map(({ wallMs }) => wallMs),
          target: atMost(1_000),
        },
      ];
    }),
};
