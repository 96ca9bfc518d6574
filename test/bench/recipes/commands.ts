import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import type { Run } from '@millrace/contracts/pipeline';
import type { PythonEnvironment } from '@millrace/python-runtime';
import { mustHold } from '../harness/benchmark.ts';
import { type BenchRecipe, profile } from './projects.ts';

/** A command that was run from its start to its end. */
interface Ended {
  readonly wallMs: number;
  readonly output: string;
}

const bin = fileURLToPath(new URL('../../../libs/cli/bin/millrace.mjs', import.meta.url));

/** Runs a command to its end; voids the run when it fails. */
const timed = async (words: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<Ended> => {
  const [command = '', ...args] = words;
  const startedAt = performance.now();
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  const wallMs = performance.now() - startedAt;
  mustHold(
    code === 0,
    () => `${words.join(' ')} ended with ${signal ?? code}: ${`${errors}${output}`.slice(-2_000)}`,
  );
  return { wallMs, output };
};

/** A whole recipe through the command line of one side. */
export interface RecipeRun {
  readonly wallMs: number;
  /** Of the metric that both sides must agree on. */
  readonly metric: number;
  /** Names of the steps that were done, not taken from the cache; empty where the side does not tell. */
  readonly done: readonly string[];
}

export interface Place {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
}

/** `millrace recipes run`, as a user types it, with a Millrace that is up. */
export const runMillrace = async (
  { metric }: BenchRecipe,
  { root, env }: Place,
  url: string,
  metricOf: (trainingRun: string, metric: string) => Promise<number>,
): Promise<RecipeRun> => {
  const words = [process.execPath, bin, 'recipes', 'run', '--json', '--profile', profile];
  const { wallMs, output } = await timed(words, root, { ...env, MILLRACE_URL: url });
  const { steps } = JSON.parse(output) as Run;
  const tracked = steps.flatMap(({ outputs }) => outputs).find(({ kind }) => kind === 'training_run');
  const done = steps.filter(({ state }) => state === 'STEP_STATE_SUCCEEDED').map(({ name }) => name);
  return { wallMs, metric: await metricOf(tracked?.id ?? '', metric), done };
};

/** `mlflow recipes run` of the peer, as a user types it: its environment's programs come first on PATH. */
export const runPeer = async (
  { metric }: BenchRecipe,
  { root, env }: Place,
  { python }: PythonEnvironment,
): Promise<RecipeRun> => {
  const { wallMs } = await timed(['mlflow', 'recipes', 'run', '--profile', profile], root, {
    ...env,
    PATH: `${dirname(python)}:${env.PATH}`,
    MLFLOW_RECIPES_EXECUTION_DIRECTORY: join(root, '..', `${root.split('/').at(-1)}-state`),
    GIT_PYTHON_REFRESH: 'quiet',
  });
  return { wallMs, metric: peerMetric(root, metric), done: [] };
};

/** The metric of the latest run in the peer's store. */
const peerMetric = (root: string, metric: string): number => {
  const store = new DatabaseSync(join(root, 'metadata', 'mlflow', 'mlruns.db'), { readOnly: true });
  try {
    const row = store
      .prepare('SELECT value FROM latest_metrics WHERE key = ? ORDER BY timestamp DESC LIMIT 1')
      .get(metric);
    return Number(row?.value ?? Number.NaN);
  } finally {
    store.close();
  }
};

/** The recipe's own functions called directly, in a process of their own. */
export const runDirectly = async (
  { kind }: BenchRecipe,
  { root, env }: Place,
  { python }: PythonEnvironment,
): Promise<number> => {
  const script = join(import.meta.dirname, 'direct.py');
  return (await timed([python, script, root, kind], root, env)).wallMs;
};
