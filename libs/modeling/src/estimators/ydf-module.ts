import { createRequire } from 'node:module';

/** The parts of the WebAssembly builds of Yggdrasil Decision Forests that we use; the packages bring no types. */
export interface YdfModel {
  predict(examples: Record<string, unknown[]>): number[];
  getInputFeatures(): readonly { readonly name: string; readonly type: string }[];
  getLabelClasses(): string[];
  describe(): string;
  unload(): void;
  readonly internalModel: { save(path: string): void };
}

export interface YdfFileSystem {
  readdir(path: string): string[];
  readFile(path: string): Uint8Array;
  writeFile(path: string, data: Uint8Array): void;
  unlink(path: string): void;
  rmdir(path: string): void;
}

interface Learner {
  train(data: Record<string, (number | string)[]>): YdfModel;
}

export interface YdfTraining {
  readonly FS: YdfFileSystem;
  readonly GradientBoostedTreesLearner: new (label: string, task: string) => Learner;
  readonly RandomForestLearner: new (label: string, task: string) => Learner;
}

export interface YdfInference {
  loadModelFromZipBlob(zip: Uint8Array): Promise<YdfModel>;
}

type Factory<T> = (module: { print(text: string): void; printErr(text: string): void }) => Promise<T>;

const require = createRequire(import.meta.url);
const guarded = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * Starts the module with its console silenced. Emscripten's runtime adds process-wide handlers that would
 * change how the host dies of an error; they are taken off again.
 */
const start = async <T>(packageName: string): Promise<T> => {
  const before = guarded.map((event) => process.listeners(event as 'uncaughtException'));
  const factory = require(packageName) as Factory<T>;
  const module = await factory({ print: () => {}, printErr: () => {} });
  guarded.forEach((event, index) => {
    for (const listener of process.listeners(event as 'uncaughtException')) {
      if (!before[index]?.includes(listener)) process.removeListener(event, listener);
    }
  });
  return module;
};

let training: Promise<YdfTraining> | undefined;
let inference: Promise<YdfInference> | undefined;

/** One instance per process: starting it costs about 100 ms and 20 MB. */
export const ydfTraining = (): Promise<YdfTraining> => {
  training ??= start<YdfTraining>('ydf-training');
  return training;
};

export const ydfInference = (): Promise<YdfInference> => {
  inference ??= start<YdfInference>('ydf-inference');
  return inference;
};
