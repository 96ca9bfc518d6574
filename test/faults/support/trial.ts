import { rm } from 'node:fs/promises';
import { isAlive } from '@millrace/installation';
import { retried } from '../../support/calls.ts';
import { type InstallationOptions, TestInstallation } from '../../support/installation.ts';
import { followToEnd, followToPause, modelVersionOf } from '../../support/runs.ts';
import { untilHandled } from '../../support/stream.ts';
import { eventually, pause, until } from '../../support/wait.ts';
import { expectEachEffectOnce } from '../effects.ts';
import { submitQuickRun } from '../quick-run.ts';
import { collectEvidence } from './evidence.ts';
import { countsLine, History, type Outcome } from './history.ts';
import {
  type Allowances,
  checkInvariants,
  describeFindings,
  type Finding,
  type Verdict,
} from './invariants.ts';
import { describeResources, measureResources, type ResourceLimits, type Resources } from './resources.ts';
import { canaryOf } from './secrets.ts';
import { Workload } from './workload.ts';
import { standardWrites, type WriteKind } from './writes.ts';

export interface TrialOptions extends Omit<InstallationOptions, 'separate'> {
  /** `F2` */
  readonly fault: string;
  /** `broker killed` */
  readonly title: string;
  readonly seed: number;
  /** A process per service, the default, or one for all. */
  readonly separate?: boolean;
  readonly limits?: ResourceLimits;
}

/** The seed of a fault's test: `MILLRACE_TEST_SEED`, else always the same. */
export const testSeed = Number(process.env.MILLRACE_TEST_SEED ?? 20130101);

/** `MILLRACE_FAULTS=all`: whole matrices instead of a seeded selection. */
export const isThorough = process.env.MILLRACE_FAULTS === 'all';

/** A worker that was killed is given up on after this long; as short as the settings allow with a margin. */
export const stepLeaseMs = 2_000;

/** Until when the state must have settled after the last fault. Milliseconds. */
const settlingMs = 90_000;
const againMs = 1_000;

/**
 * One fault, tried on an installation of its own: a client writes while the fault is there, then everything is read
 * back and checked. Use:
 *
 * ```ts
 * const trial = await Trial.start({ fault: 'F2', title: 'broker killed', seed: testSeed });
 * await trial.during(async () => { trial.inject('kill -9 broker'); … });   // writes go on meanwhile
 * await trial.recover();                                                    // measures I10
 * await trial.check();                                                      // I1–I10, prints the line of counts
 * await trial.stop();
 * ```
 */
export class Trial {
  readonly history: History;
  readonly workload: Workload;
  readonly secret: string;
  #millrace: TestInstallation;
  readonly #options: TrialOptions;
  readonly #runs: RunWrites;
  readonly #before: Resources;
  /** When something was last done to the platform. */
  #since = performance.now();

  private constructor(
    options: TrialOptions,
    millrace: TestInstallation,
    history: History,
    runs: RunWrites,
    workload: Workload,
    before: Resources,
  ) {
    this.#options = options;
    this.#millrace = millrace;
    this.history = history;
    this.workload = workload;
    this.secret = canaryOf(options.seed);
    this.#runs = runs;
    this.#before = before;
  }

  /** Starts an installation, has one run go through it, and prepares the client that writes. */
  static async start(options: TrialOptions): Promise<Trial> {
    const history = new History(options.fault, options.title, options.seed);
    const millrace = await install(options);
    const runs = new RunWrites(history, options.seed);
    const place = () => trial.millrace;
    const first = await runs.run(millrace);
    await expectEachEffectOnce(millrace, first);
    const trainingRun = first.steps
      .flatMap(({ outputs }) => outputs)
      .find(({ kind }) => kind === 'training_run');
    const kinds = () => standardWrites(place().client, trainingRun?.id ?? '', runs.nameOf(1));
    const workload = new Workload(history, kinds, [runs.kind(place)]);
    const trial: Trial = new Trial(
      options,
      millrace,
      history,
      runs,
      workload,
      await measureResources(millrace),
    );
    return trial;
  }

  /** Of now: another one after `crashAndRestart`. */
  get millrace(): TestInstallation {
    return this.#millrace;
  }

  /** A prediction of a model that an undisturbed run deployed; `undefined` when nobody answers. */
  async predict(): Promise<unknown> {
    const name = this.#runs.nameOf(1);
    const { client } = this.millrace;
    const { modelVersion } = await retried('the model version', () =>
      client.registry.getModelVersion({ model: name, version: 1 }),
    );
    const body = { dataframe_records: modelVersion?.inputExample.slice(0, 1) };
    return client.invoke(name, body).catch(() => undefined);
  }

  /** Kills a part with SIGKILL and waits until it is there again. */
  async kill(part: string): Promise<void> {
    const pid = (await this.millrace.pids())[part];
    if (pid === undefined) throw new Error(`${part} does not run`);
    this.inject(`kill -9 ${part}`);
    process.kill(pid, 'SIGKILL');
    await this.untilBack(part, pid);
  }

  /** Waits until a part runs as another process than before. */
  async untilBack(part: string, before: number): Promise<void> {
    await until(`${part} to be back`, async () => {
      const now = (await this.millrace.state()).pids[part];
      return now !== undefined && now !== before && isAlive(now) ? true : undefined;
    });
  }

  /** Notes in the history what is being done to the platform. */
  inject(what: string): void {
    this.history.injected(what);
    this.#since = performance.now();
  }

  /** The fault is over: recovery is measured from now. */
  heal(what: string): void {
    this.inject(what);
  }

  /** Has the client write while `fault` happens. */
  async during<T>(fault: () => Promise<T>): Promise<T> {
    this.workload.start();
    try {
      return await fault();
    } finally {
      await this.workload.stop();
    }
  }

  /** A run of a new project from submission to its end, approved where it waits; its steps outlive faults. */
  run(disturb?: (runId: string) => Promise<void>) {
    return this.#runs.run(this.millrace, disturb);
  }

  /** Submits a run and leaves it to itself; `check` sees to it that it ends. */
  submit(): Promise<string> {
    return this.#runs.submit(this.millrace);
  }

  /** Waits until a run has ended or waits for approval, and approves it then. */
  async approve(runId: string): Promise<void> {
    const paused = await followToPause(this.millrace, runId, 180_000);
    if (paused.state === 'RUN_STATE_WAITING') await approve(this.millrace, runId);
  }

  /** Approves what waits, until no run is open. */
  async finishRuns(): Promise<void> {
    await this.#runs.finish(this.millrace);
  }

  /** Kills everything and starts it again on the same data. Only for an installation in one process. */
  async crashAndRestart(): Promise<void> {
    this.inject('kill -9 everything');
    await this.#millrace.crash();
    this.#millrace = await install({ ...this.#options, dataDir: this.#millrace.dataDir });
  }

  /** Kills everything and goes on with another data directory, which `prepare` may still work on. */
  async goOnWith(dataDir: string, prepare: () => Promise<void>): Promise<void> {
    const left = this.#millrace.dataDir;
    await this.#millrace.crash();
    await prepare();
    this.#millrace = await install({ ...this.#options, dataDir });
    await rm(left, { recursive: true, force: true });
  }

  /**
   * Waits until every service says that it is ready and takes a write of each kind; answers how long that took since the
   * last injection, in seconds.
   */
  async recover(): Promise<number> {
    await until(
      'recovery',
      async () => {
        const services = Object.values(await this.millrace.client.status());
        if (!services.every(({ ready }) => ready)) return undefined;
        const written = await this.workload.once();
        return written.every(({ outcome }) => outcome === 'acknowledged') ? true : undefined;
      },
      180_000,
    );
    const tookMs = performance.now() - this.#since;
    this.history.recoveries.push(tookMs);
    return tookMs / 1_000;
  }

  /**
   * Waits for the state to settle, reads everything back and checks I1–I10. Prints one line of counts; throws all that
   * is broken, with the file that the history was written to.
   */
  async check(allow: Allowances = {}): Promise<Verdict> {
    await this.finishRuns();
    await retried('the repetition of failed calls', () => this.workload.repeatUnknown());
    const { verdict, after } = await this.#settled(allow);
    const { fault } = this.#options;
    console.log(countsLine(this.history, verdict.writes, this.history.recoverySeconds));
    console.log(
      `${fault}: ${describeOutcomes(this.history)}; ${this.millrace.log.events.length} events; ${describeResources(after)}`,
    );
    const broken = brokenOf(verdict.findings);
    if (broken.length === 0) return verdict;
    throw new Error(
      `${fault} (seed ${this.#options.seed}): ${broken.map(({ id }) => id).join(', ')} broken; history in ${this.history.dump()}\n${describeFindings(verdict.findings)}`,
    );
  }

  async stop(): Promise<void> {
    await this.workload.stop();
    await this.#millrace.stop();
  }

  /** The first verdict without a violation, or the last one before the time is over. */
  async #settled(allow: Allowances): Promise<{ verdict: Verdict; after: Resources }> {
    const deadline = performance.now() + settlingMs;
    for (;;) {
      const inTime = performance.now() < deadline;
      try {
        await untilHandled(this.millrace.log.bus);
        const after = await measureResources(this.millrace);
        const verdict = await checkInvariants({
          evidence: await collectEvidence(this.millrace),
          history: this.history,
          workload: this.workload,
          secret: this.secret,
          before: this.#before,
          after,
          allow,
          ...(this.#options.limits === undefined ? {} : { limits: this.#options.limits }),
        });
        if (brokenOf(verdict.findings).length === 0 || !inTime) return { verdict, after };
      } catch (thrown) {
        if (!inTime) throw thrown;
      }
      await pause(againMs);
    }
  }
}

const brokenOf = (findings: readonly Finding[]): readonly Finding[] =>
  findings.filter(({ violations }) => violations.length > 0);

const describeOutcomes = ({ operations, injections }: History): string => {
  const count = (outcome: Outcome) => operations.filter((operation) => operation.outcome === outcome).length;
  return `${injections.length} faults injected, ${count('unknown')} calls without answer, ${count('refused')} refused`;
};

const install = ({
  fault: _,
  title: __,
  limits: ___,
  separate = true,
  seed,
  env,
  ...options
}: TrialOptions) =>
  TestInstallation.start({
    ...options,
    separate,
    env: {
      MILLRACE_STEP_LEASE_MS: String(stepLeaseMs),
      MILLRACE_TOKEN: canaryOf(seed),
      ...env,
    },
  });

/** Pipeline runs as writes: each of a project of its own, so that a doubled one shows. */
class RunWrites {
  readonly #history: History;
  readonly #seed: number;
  readonly #submitted = new Map<number, string>();

  constructor(history: History, seed: number) {
    this.#history = history;
    this.#seed = seed;
  }

  nameOf(number: number): string {
    return `trial-${number}`;
  }

  kind(place: () => TestInstallation): WriteKind {
    return {
      name: 'pipeline run',
      write: async (number) => {
        await this.#submit(place(), number);
      },
      find: async () => {
        const counts = new Map<number, number>();
        for (const run of (await place().client.pipeline.listRuns({ page: { limit: 1_000 } })).runs) {
          const number = Number(/^trial-(\d+)$/.exec(run.project?.project ?? '')?.[1]);
          if (Number.isInteger(number)) counts.set(number, (counts.get(number) ?? 0) + 1);
        }
        return counts;
      },
    };
  }

  /** Repeats the submission, which carries an idempotency key, until it is acknowledged. */
  async submit(millrace: TestInstallation): Promise<string> {
    const number = this.#history.nextNumber();
    const operation = await this.#history.attempt('pipeline run', number, () =>
      this.#submit(millrace, number),
    );
    if (operation.outcome !== 'acknowledged') throw new Error(`no run was submitted: ${operation.error}`);
    return operation.result as string;
  }

  async run(millrace: TestInstallation, disturb: (runId: string) => Promise<void> = async () => {}) {
    const id = await this.submit(millrace);
    const disturbed = disturb(id);
    const ended = (async () => {
      const paused = await followToPause(millrace, id, 120_000);
      if (paused.state === 'RUN_STATE_WAITING') await approve(millrace, id);
      return followToEnd(millrace, id, 120_000);
    })();
    // A disturbance that fails is told at once: it may be why the run does not end.
    const [run] = await Promise.all([ended, disturbed]);
    return run;
  }

  async finish(millrace: TestInstallation): Promise<void> {
    for (const id of this.#submitted.values()) {
      const paused = await followToPause(millrace, id, 180_000);
      if (paused.state === 'RUN_STATE_WAITING') await approve(millrace, id);
      await followToEnd(millrace, id, 180_000);
    }
  }

  async #submit(millrace: TestInstallation, number: number): Promise<string> {
    const id = await submitQuickRun(millrace, this.nameOf(number), this.#seed + number);
    this.#submitted.set(number, id);
    return id;
  }
}

const approve = async (millrace: TestInstallation, runId: string): Promise<void> => {
  await eventually('the approval', async () => {
    const { run } = await millrace.client.pipeline.getRun({ id: runId });
    if (run?.state !== 'RUN_STATE_WAITING') return;
    await millrace.client.registry.approveModelVersion({ ...modelVersionOf(run) });
  });
};
