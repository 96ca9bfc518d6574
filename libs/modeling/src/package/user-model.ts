import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Internal, TimedOut, Unavailable } from '@millrace/errors';
import { JobProcess } from '@millrace/jobs';
import type { Table } from '@millrace/tabular';
import type { Prediction } from '../prediction.ts';
import { functionName } from '../user-code/user-functions.ts';
import type { UserModelAnswer, UserModelCall } from '../user-code/user-model.job.ts';
import type { PackageFiles } from './manifest.ts';
import type { PackagedEstimator, PackagedTransform } from './model-definition.ts';
import type { Signature } from './signature.ts';

const entry = new URL('../user-code/user-model.job.ts', import.meta.url);
const defaultCallTimeoutMs = 30_000;
/** Calls that may wait for the one under way. */
const mostWaiting = 64;

/** What a model's own code may use. */
export interface UserCodeLimits {
  /** Milliseconds that one call may take. Default 30,000. */
  readonly callTimeoutMs?: number;
  /** Limit of the JavaScript heap, MiB; the process may hold twice as much. Default 1024. */
  readonly memoryMb?: number;
}

type UserTransformPart = Extract<PackagedTransform, { kind: 'typescript' }>;
type UserEstimatorPart = Extract<PackagedEstimator, { kind: 'typescript' }>;

/**
 * The user code of a package in a child process of its own, started at the first call and again after it
 * died. Calls are answered one after the other; when one did not end in time, those that wait are refused, so that
 * nobody stands in line behind a model that hangs.
 */
export class UserModel {
  readonly #directory: string;
  #process: JobProcess | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  /** Calls that did not end in time. */
  #hangs = 0;
  #closed = false;
  readonly #limits: UserCodeLimits;

  private constructor(directory: string, limits: UserCodeLimits) {
    this.#directory = directory;
    this.#limits = limits;
  }

  /** Lays the package's files out in a fresh directory. */
  static async open(files: PackageFiles, limits: UserCodeLimits): Promise<UserModel> {
    // The real path: user frames in errors are found by it.
    const directory = await realpath(await mkdtemp(join(tmpdir(), 'millrace-model-')));
    for (const [path, bytes] of files) {
      if (!/^(code|model|transform)\//.test(path)) continue;
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), bytes);
    }
    return new UserModel(directory, limits);
  }

  async transform(part: UserTransformPart, features: Table): Promise<Table> {
    const answer = await this.#call({ ...this.#base(part, features), purpose: { kind: 'transform' } });
    if (answer.kind === 'transform') return answer.table;
    throw new Internal('user code answered another call');
  }

  async predict(part: UserEstimatorPart, { output }: Signature, features: Table): Promise<Prediction> {
    const { params } = part;
    const answer = await this.#call({
      ...this.#base(part, features),
      purpose: { kind: 'predict', params, task: output.task, classes: output.classes ?? [] },
    });
    if (answer.kind === 'predict') return answer.prediction;
    throw new Internal('user code answered another call');
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#process?.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }

  #base(part: UserTransformPart | UserEstimatorPart, features: Table): Omit<UserModelCall, 'purpose'> {
    return { directory: this.#directory, function: part.function, stateFile: part.stateFile, features };
  }

  /** The child does one call at a time; a call that fails does not hold up the next. */
  #call(call: UserModelCall): Promise<UserModelAnswer> {
    if (this.#waiting >= mostWaiting) {
      return Promise.reject(new Unavailable(`${this.#waiting} calls of the model wait already`));
    }
    const hangs = this.#hangs;
    this.#waiting += 1;
    const run = this.#last.then(() => {
      this.#waiting -= 1;
      if (hangs !== this.#hangs) throw new Unavailable('the model did not end an earlier call in time');
      return this.#run(call);
    });
    this.#last = run.catch(() => {});
    return run;
  }

  async #run(call: UserModelCall): Promise<UserModelAnswer> {
    if (this.#closed) throw new Unavailable('the model is closed');
    if (this.#process?.alive !== true) {
      const { memoryMb } = this.#limits;
      this.#process = await JobProcess.start({
        permissions: { read: [this.#directory] },
        ...(memoryMb === undefined ? {} : { memoryMb }),
      });
    }
    this.#process.ref();
    try {
      return await this.#process.run<UserModelAnswer>({
        entry,
        input: call,
        timeoutMs: this.#limits.callTimeoutMs ?? defaultCallTimeoutMs,
        userRoot: join(this.#directory, 'code'),
        activity: functionName(call.function),
      });
    } catch (thrown) {
      if (thrown instanceof TimedOut) this.#hangs += 1;
      throw thrown;
    } finally {
      this.#process.unref();
    }
  }
}
