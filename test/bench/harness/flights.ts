import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readLocalProject, uploadProject } from '@millrace/cli';
import type { MillraceClient } from '@millrace/client';
import { RolloutState } from '@millrace/contracts/deployment';
import { type Run, RunState, type StepState } from '@millrace/contracts/pipeline';
import type { ProjectSnapshot } from '@millrace/contracts/step';
import { mustHold, VoidRun } from './benchmark.ts';

/** The example project that ships with the repository. */
const example = join(import.meta.dirname, '..', '..', '..', 'examples', 'flights');
/** Linear regression with a search over eight trials. */
export const profile = 'baseline';
export const endpoint = 'flights';

/** Uploads the flights project with another seed, so that its splits and its model are others too. */
export const uploadFlights = async (
  client: MillraceClient,
  directory: string,
  seed = 42,
): Promise<ProjectSnapshot> => {
  for (const part of ['recipe.yaml', 'profiles', 'data']) {
    cpSync(join(example, part), join(directory, part), { recursive: true });
  }
  const recipe = readFileSync(join(example, 'recipe.yaml'), 'utf8')
    .replace(/^seed: .*$/m, `seed: ${seed}`)
    // The demonstration's is short: drift would have the recipe run every few seconds of a benchmark.
    .replace(/^( *cool_down:) .*$/m, '$1 24h');
  writeFileSync(join(directory, 'recipe.yaml'), recipe);
  return uploadProject(client, await readLocalProject(directory, profile), () => {});
};

export interface FlightsRun {
  readonly snapshot: ProjectSnapshot;
  readonly noCache: boolean;
  /** Last step; the whole recipe when absent. */
  readonly toStep?: string;
}

export interface TimedRun {
  readonly run: Run;
  /** From the call that submits it to the update that says it has ended, milliseconds. */
  readonly wallMs: number;
}

/** Submits a run and watches it to its end; approves what it waits for at once. */
export const runFlights = async (client: MillraceClient, options: FlightsRun): Promise<TimedRun> => {
  const startedAt = performance.now();
  const { run } = await client.pipeline.submitRun({ ...options, profile });
  mustHold(run !== undefined, () => 'no run was submitted');
  let approved = false;
  for await (const update of client.watchRun(run?.id ?? '')) {
    if (update.kind !== 'run') continue;
    const { state } = update.run;
    if (state === RunState.RUN_STATE_WAITING && !approved) {
      approved = true;
      await client.registry.approveModelVersion({
        ...modelVersionOf(update.run),
        actor: { reason: 'bench' },
      });
    }
    if (state === RunState.RUN_STATE_FAILED || state === RunState.RUN_STATE_CANCELLED) {
      throw new VoidRun(`the run ended as ${state}: ${update.run.error?.message}`);
    }
    if (state === RunState.RUN_STATE_SUCCEEDED) {
      return { run: update.run, wallMs: performance.now() - startedAt };
    }
  }
  throw new VoidRun('the watch of the run ended before the run did');
};

/** Gives the canary, if there is one, all the traffic, so that the next deployment can begin. */
export const promoteFully = async (client: MillraceClient): Promise<void> => {
  const { endpoint: found } = await client.deployment.getEndpoint({ name: endpoint });
  if (found?.rollout?.state !== RolloutState.ROLLOUT_STATE_IN_PROGRESS) return;
  await client.deployment.promote({ endpoint, full: true, actor: { reason: 'bench' } });
};

/** Sum of what the workers of the steps report as their own work, milliseconds. */
export const workMsOf = (run: Run): number => run.steps.reduce((sum, { workMs }) => sum + workMs, 0);

/** Names of the steps in that state. */
export const stepsIn = (run: Run, state: StepState): string[] =>
  run.steps.filter((step) => step.state === state).map(({ name }) => name);

/** The model version that a run registered. */
export const modelVersionOf = (run: Run): { readonly model: string; readonly version: number } => {
  const artifact = run.steps.flatMap(({ outputs }) => outputs).find(({ kind }) => kind === 'model_version');
  const [model = '', version = '0'] = (artifact?.id ?? '').split('/');
  return { model, version: Number(version) };
};

/** Flights of the months that the model learnt from, which it did not see: as requests to the endpoint take them. */
export const winterFlights = (): readonly Readonly<Record<string, unknown>>[] => {
  const [header = '', ...lines] = readFileSync(join(example, 'live/2013-winter.csv'), 'utf8')
    .trim()
    .split('\n');
  const names = header.trim().split(',');
  return lines.map((line) => {
    const cells = line.trim().split(',');
    const entries = names.map((name, i): [string, unknown] => [name, cellOf(cells[i] ?? '')]);
    return Object.fromEntries(entries.filter(([name]) => name !== 'arr_delay'));
  });
};

const cellOf = (cell: string): string | number | null => {
  if (cell === '') return null;
  return /^-?\d+(\.\d+)?$/.test(cell) ? Number(cell) : cell;
};
