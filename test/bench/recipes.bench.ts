/**
 * A whole recipe of each kind through the command line, beside MLflow 2.x Recipes on the same project, data, Python and
 * package versions, each in an environment of its own from the package index.
 *
 * Cold: nothing of the project is cached, environments are built, Millrace is up. Overhead = wall time of the whole
 * command less that of a process that calls the recipe's functions directly (`recipes/direct.py`, the floor: start of
 * Python and the imports of the libraries count as the user's). Warm: the same command again, nothing changed. Sides
 * alternate A B B A; ratios are taken pair by pair.
 *
 * Worker: from the call that starts a worker in a built environment to the first line that the user's module prints.
 *
 * Counts only if both sides registered a model whose metric on the test split is the same, and the warm run of Millrace
 * did nothing anew. The peer needs GNU make (Debian package `make`); without it this benchmark is void and says so.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@millrace/client';
import { type PythonEnvironment, PythonEnvironments, runPythonJob } from '@millrace/python-runtime';
import { atLeast, atMost, type Benchmark, type Figure, median, mustHold } from './harness/benchmark.ts';
import { inDirectory, startEmbedded } from './harness/embedded.ts';
import { type RecipeRun, runDirectly, runMillrace, runPeer } from './recipes/commands.ts';
import { type BenchRecipe, layOut, peerRequirements, recipes } from './recipes/projects.ts';

const pairs = 3;
const workerStarts = 7;

/** What one side does with a recipe: a run with nothing cached, then the same again. */
type Side = (
  recipe: BenchRecipe,
  name: string,
) => Promise<{ readonly cold: RecipeRun; readonly warm: RecipeRun }>;

const requireMake = (): void =>
  mustHold(
    spawnSync('make', ['--version']).status === 0,
    () => 'MLflow Recipes needs GNU make: install the package make',
  );

const peerEnvironment = (note: (text: string) => void): Promise<PythonEnvironment> =>
  PythonEnvironments.open().ensure(
    { requirements: peerRequirements, needs: [], source: 'the peer' },
    // What it installs is many lines; that it does something is enough.
    { onProgress: (line) => /^(?:resolving|installing|checking)/.test(line) && note(`peer: ${line}`) },
  );

/** From the call to the first line of the user's module, milliseconds. */
const workerStartMs = async (environment: PythonEnvironment, directory: string): Promise<number> => {
  mkdirSync(join(directory, 'steps'), { recursive: true });
  writeFileSync(join(directory, 'steps', 'train.py'), "print('first line')\ndef estimator_fn(): pass\n");
  const startedAt = performance.now();
  let firstLineMs = Number.NaN;
  await runPythonJob({
    environment,
    job: 'check_functions',
    input: { functions: [{ module: 'steps.train', name: 'estimator_fn' }] },
    userRoot: directory,
    onLog: () => {
      if (Number.isNaN(firstLineMs)) firstLineMs = performance.now() - startedAt;
    },
  });
  mustHold(Number.isFinite(firstLineMs), () => 'the line that the module prints did not arrive');
  return firstLineMs;
};

interface Pair {
  readonly ours: { readonly cold: RecipeRun; readonly warm: RecipeRun };
  readonly peer: { readonly cold: RecipeRun; readonly warm: RecipeRun };
  readonly directMs: number;
}

const check = ({ kind }: BenchRecipe, { ours, peer }: Pair): void => {
  const difference = Math.abs(ours.cold.metric - peer.cold.metric);
  mustHold(
    difference <= 1e-9 * Math.abs(peer.cold.metric),
    () => `${kind}: the test metric is ${ours.cold.metric} here and ${peer.cold.metric} at the peer`,
  );
  mustHold(ours.cold.done.length === 6, () => `${kind}: only ${ours.cold.done.join(', ')} were done`);
  mustHold(ours.warm.done.length === 0, () => `${kind}: ${ours.warm.done.join(', ')} were done again`);
};

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

const figuresOf = ({ kind }: BenchRecipe, measured: readonly Pair[]): readonly Figure[] => {
  const overhead = ({ directMs }: Pair, run: RecipeRun): number => run.wallMs - directMs;
  const peerCold = median(measured.map((pair) => overhead(pair, pair.peer.cold)));
  const peerWarm = median(measured.map(({ peer }) => peer.warm.wallMs));
  const floor = `direct calls ${seconds(median(measured.map(({ directMs }) => directMs)))}`;
  return [
    {
      measure: `${kind}: overhead, cold`,
      unit: 'ms',
      values: measured.map((pair) => overhead(pair, pair.ours.cold)),
      floor: `${floor}; MLflow 2.x overhead ${seconds(peerCold)}`,
    },
    {
      measure: `${kind}: MLflow's overhead / ours, cold`,
      unit: '×',
      values: measured.map((pair) => overhead(pair, pair.peer.cold) / overhead(pair, pair.ours.cold)),
      target: atLeast(5),
      floor,
    },
    {
      measure: `${kind}: nothing changed, whole command`,
      unit: 'ms',
      values: measured.map(({ ours }) => ours.warm.wallMs),
      target: atMost(500),
      floor: `MLflow 2.x ${seconds(peerWarm)}`,
    },
  ];
};

export const benchmark: Benchmark = {
  name: 'recipes',
  title: 'a whole recipe of each kind, beside MLflow 2.x Recipes',
  run: ({ env, note }) =>
    inDirectory(async (directory) => {
      requireMake();
      const environment = await peerEnvironment(note);
      const millrace = await startEmbedded({ dataDir: `${directory}/data`, env });
      const client = createClient({ url: millrace.url });
      const metricOf = async (id: string, metric: string): Promise<number> =>
        (await client.training.getRun({ id })).run?.metrics[metric] ?? Number.NaN;
      const placeOf = (recipe: BenchRecipe, name: string) => ({
        root: layOut(recipe, join(directory, `${recipe.kind}-${name}`), environment.packages),
        env,
      });
      const ours: Side = async (recipe, name) => {
        const place = placeOf(recipe, `ours-${name}`);
        const run = () => runMillrace(recipe, place, millrace.url, metricOf);
        return { cold: await run(), warm: await run() };
      };
      const peer: Side = async (recipe, name) => {
        const place = placeOf(recipe, `peer-${name}`);
        const run = () => runPeer(recipe, place, environment);
        return { cold: await run(), warm: await run() };
      };
      const measure = async (recipe: BenchRecipe, index: number): Promise<Pair> => {
        const directMs = await runDirectly(recipe, placeOf(recipe, `direct-${index}`), environment);
        const name = String(index);
        // A B B A: whoever is first in one pair is second in the next.
        const first = index % 2 === 0 ? await ours(recipe, name) : undefined;
        const theirs = await peer(recipe, name);
        const pair = { ours: first ?? (await ours(recipe, name)), peer: theirs, directMs };
        check(recipe, pair);
        note(
          `${recipe.kind}: cold ${seconds(pair.ours.cold.wallMs)} and ${seconds(theirs.cold.wallMs)}, ` +
            `warm ${seconds(pair.ours.warm.wallMs)} and ${seconds(theirs.warm.wallMs)}, direct ${seconds(directMs)}`,
        );
        return pair;
      };
      const figures: Figure[] = [];
      try {
        for (const recipe of recipes) {
          // Builds the environment, and fills the caches of the file system on both sides.
          const { cold } = await ours(recipe, 'warm-up');
          note(`${recipe.kind}: with its environment built ${seconds(cold.wallMs)}`);
          const measured: Pair[] = [];
          for (let index = 0; index < pairs; index += 1) measured.push(await measure(recipe, index));
          figures.push(...figuresOf(recipe, measured));
        }
      } finally {
        await client.close();
        await millrace.stop();
      }
      const starts: number[] = [];
      for (let index = 0; index <= workerStarts; index += 1) {
        starts.push(await workerStartMs(environment, join(directory, `worker-${index}`)));
      }
      figures.push({
        measure: 'worker in a built environment: first line of the user',
        unit: 'ms',
        values: starts.slice(1),
        target: atMost(1_500),
      });
      return figures;
    }),
};
