import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Internal } from '@millrace/errors';
import { JobProcess } from '@millrace/jobs';
import type { Table } from '@millrace/tabular';
import type { Prediction } from '../prediction.ts';
import { functionName } from '../user-code/user-functions.ts';
import type { UserModelAnswer, UserModelCall } from '../user-code/user-model.job.ts';
import { layOut } from './lay-out.ts';
import type { PackageFiles } from './manifest.ts';
import type { PackagedEstimator, PackagedTransform } from './model-definition.ts';
import { type ModelChild, ModelProcess, type UserCodeLimits } from './model-process.ts';
import type { Signature } from './signature.ts';

const entry = new URL('../user-code/user-model.job.ts', import.meta.url);

type UserTransformPart = Extract<PackagedTransform, { kind: 'typescript' }>;
type UserEstimatorPart = Extract<PackagedEstimator, { kind: 'typescript' }>;

/** The user code of a package in a child process of its own: see `ModelProcess`. */
export class UserModel {
  readonly #directory: string;
  readonly #process: ModelProcess<UserModelCall, UserModelAnswer>;

  private constructor(directory: string, limits: UserCodeLimits) {
    this.#directory = directory;
    this.#process = new ModelProcess(() => startChild(directory, limits), limits);
  }

  /** Lays the package's files out in a fresh directory. */
  static async open(files: PackageFiles, limits: UserCodeLimits): Promise<UserModel> {
    const own = [...files].filter(([path]) => /^(code|model|transform)\//.test(path));
    return new UserModel(await layOut(new Map(own)), limits);
  }

  async transform(part: UserTransformPart, features: Table): Promise<Table> {
    const call = { ...this.#base(part, features), purpose: { kind: 'transform' } } as const;
    const answer = await this.#process.call(call);
    if (answer.kind === 'transform') return answer.table;
    throw new Internal('user code answered another call');
  }

  async predict(part: UserEstimatorPart, { output }: Signature, features: Table): Promise<Prediction> {
    const { params } = part;
    const answer = await this.#process.call({
      ...this.#base(part, features),
      purpose: { kind: 'predict', params, task: output.task, classes: output.classes ?? [] },
    });
    if (answer.kind === 'predict') return answer.prediction;
    throw new Internal('user code answered another call');
  }

  async close(): Promise<void> {
    await this.#process.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  #base(part: UserTransformPart | UserEstimatorPart, features: Table): Omit<UserModelCall, 'purpose'> {
    return { directory: this.#directory, function: part.function, stateFile: part.stateFile, features };
  }
}

const startChild = async (
  directory: string,
  { memoryMb }: UserCodeLimits,
): Promise<ModelChild<UserModelCall, UserModelAnswer>> => {
  const child = await JobProcess.start({
    permissions: { read: [directory] },
    ...(memoryMb === undefined ? {} : { memoryMb }),
  });
  return {
    get alive() {
      return child.alive;
    },
    ref: () => child.ref(),
    unref: () => child.unref(),
    kill: () => child.kill(),
    call: (call, timeoutMs) =>
      child.run<UserModelAnswer>({
        entry,
        input: call,
        timeoutMs,
        userRoot: join(directory, 'code'),
        activity: functionName(call.function),
      }),
  };
};
