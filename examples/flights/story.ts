import {
  CommandContext,
  figure,
  followRun,
  readLocalProject,
  startMillrace,
  throwIfFailed,
  uploadProject,
} from '@millrace/cli';
import { createClient, type MillraceClient } from '@millrace/client';
import { RolloutState } from '@millrace/contracts/deployment';
import type { Alert, Window } from '@millrace/contracts/monitoring';
import { type Run, RunState, StepState } from '@millrace/contracts/pipeline';
import { asMillraceError, exitCodeOf, Internal } from '@millrace/errors';
import pc from 'picocolors';

export type FollowedRun = Run;

export interface StoryOptions {
  readonly dataDir: string;
  /** Leave Millrace running at the end. */
  readonly keep: boolean;
}

interface LiveRow {
  readonly features: Readonly<Record<string, unknown>>;
  readonly arrDelay: number;
}

const endpoint = 'flights';
/** Rows of one request, as a caller with a small batch sends them. */
const batch = 20;
/** Milliseconds to wait for something that other services do on their own. */
const patienceMs = 60_000;

/** Plays a model's life against a running Millrace and tells it as it goes. */
export class Story {
  readonly dataDir: string;
  readonly #keep: boolean;
  readonly #context: CommandContext;
  readonly #client: MillraceClient;
  readonly #stop: () => Promise<void>;
  readonly #url: string;
  readonly #started = performance.now();
  readonly #runs: Run[] = [];
  readonly #facts: [string, string][] = [];
  #chapters = 0;
  #stopping: Promise<void> | undefined;
  readonly #beganAt = new Date().toISOString();

  constructor(
    options: StoryOptions,
    context: CommandContext,
    client: MillraceClient,
    url: string,
    stop: () => Promise<void>,
  ) {
    this.dataDir = options.dataDir;
    this.#keep = options.keep;
    this.#context = context;
    this.#client = client;
    this.#url = url;
    this.#stop = stop;
  }

  /** Starts Millrace, on a free port so that another one may run beside it. */
  static async begin(options: StoryOptions): Promise<Story> {
    const started = performance.now();
    say(pc.bold('Millrace: the whole life of a model, on flights that left New York in 2013\n'));
    const context = new CommandContext({ dataDir: options.dataDir }, process.env);
    let millrace: Awaited<ReturnType<typeof startMillrace>>;
    try {
      millrace = await startMillrace(context, {
        port: process.env.MILLRACE_PORT ?? '0',
        detach: options.keep,
      });
    } catch (thrown) {
      const error = asMillraceError(thrown);
      process.stderr.write(`${pc.red('error')} ${error.message}\n${error.hint ?? ''}\n`);
      process.exit(exitCodeOf(error.code));
    }
    say(
      `${pc.green('✔')} all services up at ${millrace.url} ${pc.dim(`(${Math.round(performance.now() - started)} ms)`)}`,
    );
    const story = new Story(
      options,
      context,
      createClient({ url: millrace.url, user: context.user }),
      millrace.url,
      millrace.stop,
    );
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        say(pc.yellow('\nstopping …'));
        void story.end().then(() => process.exit(130));
      });
    }
    return story;
  }

  async chapter(title: string, play: () => Promise<void>): Promise<void> {
    this.#chapters += 1;
    say(`\n${pc.bold(pc.cyan(`${this.#chapters}. ${title}`))}`);
    await play();
  }

  /** Runs the recipe until it ends or waits for approval. */
  async run(project: string, profile: string): Promise<FollowedRun> {
    const local = await readLocalProject(project, profile);
    const snapshot = await uploadProject(this.#client, local, () => {});
    const { run } = await this.#client.pipeline.submitRun({ snapshot, profile });
    if (run === undefined) throw new Internal('no run was submitted');
    return this.#follow(run);
  }

  /** Tells the pipeline what a triggered run shall work from. */
  async push(project: string, profile: string): Promise<void> {
    const local = await readLocalProject(project, profile);
    const snapshot = await uploadProject(this.#client, local, () => {});
    const { project: pushed } = await this.#client.pipeline.pushProject({
      snapshot,
      defaultProfile: profile,
    });
    done(`pushed the project with July's file: revision ${pushed?.revision}`);
  }

  /** Approves what the run registered, and waits for it to be deployed and watched. */
  async approveAndDeploy(run: FollowedRun, reason: string): Promise<void> {
    const version = versionOf(run);
    if (run.state === RunState.RUN_STATE_WAITING) {
      await this.#client.registry.approveModelVersion({ ...version, actor: { reason } });
      done(`approved ${version.model}/${version.version}: ${reason}`);
    }
    const last = await this.#until('the deployment', async () => {
      const { run: current } = await this.#client.pipeline.getRun({ id: run.id });
      return current !== undefined && isOver(current) ? current : undefined;
    });
    throwIfFailed(last);
    this.#runs.push(last);
    const deployed = last.steps.find(({ name }) => name === 'deploy')?.summary as Record<string, unknown>;
    done(
      `deployed as revision ${deployed.revision}: ${deployed.promoted ? 'it has all the traffic' : `a canary with ${deployed.trafficPercent} %`}`,
    );
  }

  /** Promotes the candidate to all the traffic, if it does not have it. */
  async promoteFully(reason: string): Promise<void> {
    const { endpoint: found } = await this.#client.deployment.getEndpoint({ name: endpoint });
    if (found?.rollout?.state !== RolloutState.ROLLOUT_STATE_IN_PROGRESS) return;
    const { endpoint: promoted } = await this.#client.deployment.promote({
      endpoint,
      full: true,
      actor: { reason },
    });
    done(`promoted revision ${promoted?.stableRevision} to all the traffic`);
  }

  /** Predicts rows, submits what really happened, and shows how well they fit. */
  async predict(rows: readonly LiveRow[]): Promise<void> {
    const started = performance.now();
    const errors: number[] = [];
    const labels: { predictionId: string; value: { $case: 'number'; value: number } }[] = [];
    const byRevision = new Map<number, number>();
    for (let i = 0; i < rows.length; i += batch) {
      const some = rows.slice(i, i + batch);
      const answer = (await this.#client.invoke(endpoint, {
        dataframe_records: some.map(({ features }) => features),
      })) as { predictions: number[]; prediction_ids: string[]; revision: number };
      byRevision.set(answer.revision, (byRevision.get(answer.revision) ?? 0) + some.length);
      for (const [at, { arrDelay }] of some.entries()) {
        errors.push((answer.predictions[at] ?? 0) - arrDelay);
        labels.push({
          predictionId: answer.prediction_ids[at] ?? '',
          value: { $case: 'number', value: arrDelay },
        });
      }
    }
    const took = performance.now() - started;
    const rmse = Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length);
    const shares = [...byRevision].map(([revision, count]) => `${count} by revision ${revision}`).join(', ');
    done(
      `${rows.length} predictions in ${Math.round(took)} ms (${shares}): off by ${figure(Number(rmse.toFixed(1)))} min (root mean square)`,
    );
    await this.#submitLabels(labels);
  }

  /** Waits for the window of the latest traffic to be found drifted, and for its alert. */
  async waitForDrift(): Promise<void> {
    const window = await this.#until<Window>('a drifted window', async () => {
      const { windows } = await this.#client.monitoring.listWindows({ endpoint });
      return windows.find(({ drifted, from }) => drifted && (from ?? '') >= this.#beganAt);
    });
    const drifted = window.drift.filter((result) => result.drifted);
    done(
      `drift in ${window.id}: ${drifted.map(({ feature, psi }) => `${feature} (PSI ${figure(Number(psi.toFixed(2)))})`).join(', ')}`,
    );
    const alert = await this.#until<Alert>('its alert', async () => {
      const { alerts } = await this.#client.monitoring.listAlerts({ endpoint });
      return (
        alerts.find(({ windowId }) => windowId === window.id) ??
        alerts.find(({ raisedAt }) => (raisedAt ?? '') >= this.#beganAt)
      );
    });
    done(`alert ${pc.red('raised')}: ${alert.summary}`);
    this.#fact('drift found', drifted.map(({ feature }) => feature).join(', '));
  }

  async rollBack(reason: string): Promise<void> {
    const { endpoint: found } = await this.#client.deployment.rollback({ endpoint, actor: { reason } });
    done(`rolled back to revision ${found?.stableRevision}, its answer verified`);
    this.#fact('rolled back to', `revision ${found?.stableRevision}`);
  }

  /** Waits for the run that the drift asked for, and follows it. */
  async followRetraining(): Promise<FollowedRun> {
    const run = await this.#until('the retraining run', async () => {
      const { runs } = await this.#client.pipeline.listRuns({ page: { limit: 20 } });
      return runs.find(({ causedBy, createdAt }) => causedBy !== '' && (createdAt ?? '') >= this.#beganAt);
    });
    done(`run #${run.number} was started by the drift ${pc.dim(`(${run.causedBy})`)}`);
    return this.#follow(run);
  }

  /** What was done, in figures, and where to look. */
  async summarise(): Promise<void> {
    const last = this.#runs.at(-1);
    const steps = this.#runs.flatMap(({ steps: all }) => all);
    const cached = steps.filter(({ state }) => state === StepState.STEP_STATE_CACHED).length;
    const { modelVersions } = await this.#client.registry.listModelVersions({ model: endpoint });
    const audit = await this.#client.registry.verifyAudit();
    const { spans } = await this.#until('the trace', async () => {
      const trace = await this.#client.runTrace(last?.id ?? '');
      return trace.spans.length > 0 ? trace : undefined;
    });
    say(`\n${pc.bold(pc.cyan('What happened'))}`);
    const rows: [string, string][] = [
      [
        'pipeline runs',
        `${this.#runs.length}, with ${steps.length} steps: ${steps.length - cached} done, ${cached} reused from the cache`,
      ],
      [
        'model versions',
        modelVersions
          .map(
            ({ version, metrics }) =>
              `${endpoint}/${version} (test RMSE ${figure(Number((metrics.root_mean_squared_error ?? 0).toFixed(2)))})`,
          )
          .reverse()
          .join(', '),
      ],
      ...this.#facts,
      [
        'audit log',
        `${audit.records} records, chain ${audit.intact ? pc.green('intact') : pc.red('broken')}`,
      ],
      [
        'last trace',
        `${spans.length} spans over ${new Set(spans.map(({ service }) => service)).size} services`,
      ],
      ['took', `${((performance.now() - this.#started) / 1000).toFixed(1)} s`],
    ];
    for (const [name, text] of rows) say(`  ${name.padEnd(16)} ${text}`);
    await this.#sayWhereNext(last?.id ?? '');
  }

  fail(thrown: unknown): void {
    const error = asMillraceError(thrown);
    process.stderr.write(
      `\n${pc.red('error')} ${error.message}\n${error.hint === undefined ? '' : `${error.hint}\n`}`,
    );
    process.stderr.write(pc.dim(`log: ${this.dataDir}/millrace.log\n`));
    process.exitCode = exitCodeOf(error.code);
  }

  async end(): Promise<void> {
    this.#stopping ??= this.#close();
    await this.#stopping;
  }

  async #close(): Promise<void> {
    await this.#client.close();
    await this.#context.close();
    if (!this.#keep) await this.#stop();
  }

  async #sayWhereNext(runId: string): Promise<void> {
    say(`\n${pc.bold(pc.cyan('Where to look next'))}`);
    if (!this.#keep) {
      say(`  ${pc.bold('npm run demo -- --keep')} leaves it running, to explore with:`);
    }
    const command = (text: string, what: string) =>
      say(`  ${pc.bold(`npx millrace ${text}`.padEnd(52))} ${pc.dim(what)}`);
    if (this.#keep) say(`  ${pc.dim(`export MILLRACE_URL=${this.#url}`)}`);
    command(`trace ${runId}`, 'one trace through all services');
    command(`lineage ${runId}`, 'from the data to the endpoint');
    command(`drift ${endpoint}`, 'windows and their tests');
    command(`models history ${endpoint}`, 'what was production when, and why');
    command('events tail --since all', 'every event, as other systems see it');
    if (this.#keep) command(`--data-dir ${this.dataDir} down`, 'end it');
  }

  async #follow(run: Run): Promise<Run> {
    const last = await followRun(this.#client, run, this.#context.output, { untilWaiting: true });
    throwIfFailed(last);
    return last;
  }

  async #submitLabels(
    labels: readonly { predictionId: string; value: { $case: 'number'; value: number } }[],
  ): Promise<void> {
    // Predictions reach monitoring in batches; labels that come sooner are told as unknown.
    await this.#until('the labels to be joined', async () => {
      const { unknown } = await this.#client.monitoring.submitLabels({ endpoint, labels });
      return unknown === 0 ? true : undefined;
    });
  }

  async #until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    const deadline = Date.now() + patienceMs;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (Date.now() > deadline) throw new Internal(`${what} did not come within ${patienceMs / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  #fact(name: string, text: string): void {
    this.#facts.push([name, text]);
  }
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const done = (text: string): void => say(`${pc.green('✔')} ${text}`);

const isOver = ({ state }: Run): boolean =>
  state === RunState.RUN_STATE_SUCCEEDED ||
  state === RunState.RUN_STATE_FAILED ||
  state === RunState.RUN_STATE_CANCELLED;

const versionOf = (run: Run): { model: string; version: number } => {
  const artifact = run.steps.flatMap(({ outputs }) => outputs).find(({ kind }) => kind === 'model_version');
  const [model = '', version = '0'] = (artifact?.id ?? '').split('/');
  return { model, version: Number(version) };
};
