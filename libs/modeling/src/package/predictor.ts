import { Internal, messageOf } from '@millrace/errors';
import type { Table } from '@millrace/tabular';
import { estimatorNamed } from '../estimators/catalog.ts';
import { readJsonFile } from '../estimators/files.ts';
import { inspectOnnx } from '../onnx/inspect.ts';
import { OnnxModel } from '../onnx/onnx-model.ts';
import { onnxToServe } from '../onnx/onnx-to-serve.ts';
import type { Prediction } from '../prediction.ts';
import { type EnvironmentBuilder, modelEnvironmentSpec } from '../python/environment.ts';
import { PythonModel, type PythonModelOptions } from '../python/python-model.ts';
import { prepareTransform } from '../transform/apply.ts';
import { type CheckInputOptions, type Row, tableFromRows, tableFromTable } from './check-input.ts';
import { filesUnder, type PackageFiles } from './manifest.ts';
import { type Mlmodel, readMlmodel } from './mlmodel.ts';
import type { PackagedEstimator, PackagedPythonModel, PackagedTransform } from './model-definition.ts';
import type { UserCodeLimits } from './model-process.ts';
import { ownFiles } from './own-files.ts';
import type { Signature } from './signature.ts';
import { UserModel } from './user-model.ts';

/** A model package ready to answer. */
export interface Predictor {
  readonly signature: Signature;
  /** The package's input example as request rows. */
  readonly inputExample: readonly Row[];
  /** What the model is given for these rows. Throws `Invalid` naming field and row where they do not fit the signature. */
  tableOf(rows: readonly Row[], options?: CheckInputOptions): Table;
  /**
   * Predicts for raw features: a table, or rows of named values. Throws `Invalid` naming field and row when
   * the input does not fit the signature, and what a model's own code throws: who has to tell the two apart
   * calls `tableOf` first.
   */
  predict(input: Table | readonly Row[], options?: CheckInputOptions): Promise<Prediction>;
  /** Frees the model, and ends its child process if it has one. */
  close(): Promise<void>;
}

/** What a model may use, and where the environments of Python models come from. */
export interface PredictorOptions
  extends UserCodeLimits,
    Pick<PythonModelOptions, 'loadTimeoutMs' | 'onLog'> {
  /** Needed for packages that Python made. */
  readonly environments?: EnvironmentBuilder;
  /** Takes a line for each thing that is done before the model can answer: an environment may have to be built. */
  readonly onProgress?: (message: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Loads a model package: what was trained without Python answers in this process (user code in a child), ONNX models in
 * this process, every other Python model in a worker of its own environment.
 *
 * @throws Invalid when a file is missing or damaged, or when a Python model does not load
 */
export const loadPredictor = async (
  files: PackageFiles,
  options: PredictorOptions = {},
): Promise<Predictor> => {
  const own = ownFiles(files);
  const signature = readJsonFile<Signature>(own, 'signature.json');
  const model = readJsonFile<PackagedEstimator | PackagedPythonModel>(own, 'model.json');
  const inputExample = readExample(own);
  const answer =
    model.kind === 'python'
      ? await pythonAnswerer(files, model, signature, options)
      : await answerer(files, signature, readJsonFile(files, 'transform.json'), model, options);
  // Who asks for a table and then for its prediction has it checked once.
  const fitting = new WeakSet<Table>();
  return {
    signature,
    inputExample,
    tableOf: (rows, options) => {
      const table = tableFromRows(signature, rows, options);
      fitting.add(table);
      return table;
    },
    predict: async (input, options) =>
      answer.predict(!isRows(input) && fitting.has(input) ? input : checked(signature, input, options)),
    close: () => answer.close(),
  };
};

interface Answerer {
  predict(features: Table): Promise<Prediction>;
  close(): Promise<void>;
}

const answerer = async (
  files: PackageFiles,
  signature: Signature,
  transform: PackagedTransform,
  estimator: PackagedEstimator,
  limits: UserCodeLimits,
): Promise<Answerer> => {
  const userCode = transform.kind === 'typescript' || estimator.kind === 'typescript';
  const user = userCode ? await UserModel.open(files, limits) : undefined;
  const model =
    estimator.kind === 'builtin'
      ? await estimatorNamed(estimator.name, signature.output.task, 'model.json').load(
          filesUnder(files, 'model'),
        )
      : undefined;
  const transformed = transformer(transform, user);
  return {
    predict: async (features) => {
      const input = await transformed(features);
      if (estimator.kind === 'typescript' && user !== undefined)
        return user.predict(estimator, signature, input);
      if (model === undefined) throw new Internal('the package has no estimator');
      return model.predict(input);
    },
    close: async () => {
      model?.close();
      await user?.close();
    },
  };
};

/** What the package's transform makes of features. */
const transformer = (
  transform: PackagedTransform,
  user: UserModel | undefined,
): ((features: Table) => Table | Promise<Table>) => {
  if (transform.kind === 'builtin') return prepareTransform(transform.state);
  if (transform.kind === 'none' || user === undefined) return (features) => features;
  return (features) => user.transform(transform, features);
};

const pythonAnswerer = async (
  files: PackageFiles,
  model: PackagedPythonModel,
  signature: Signature,
  options: PredictorOptions,
): Promise<Answerer> => {
  const mlmodel = readMlmodel(files);
  const onnx = await onnxAnswerer(files, mlmodel, signature, options);
  if (onnx !== undefined) return onnx;
  const { environments, onProgress, signal, ...limits } = options;
  if (environments === undefined) {
    throw new Internal('a Python model is to be loaded where there are no Python environments');
  }
  const environment = await environments.ensure(modelEnvironmentSpec(files, model), {
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  onProgress?.('loading the model in its Python environment');
  return PythonModel.open(files, mlmodel, model, signature, { ...limits, environment });
};

/** The ONNX form, where the package has one that may answer. One that is damaged or hostile is refused as a whole. */
const onnxAnswerer = async (
  files: PackageFiles,
  mlmodel: Mlmodel,
  signature: Signature,
  { onProgress }: PredictorOptions,
): Promise<Answerer | undefined> => {
  const path = onnxToServe(files, mlmodel, signature);
  if (path === undefined) return undefined;
  inspectOnnx(files, path);
  try {
    return await OnnxModel.open(files, path, signature);
  } catch (thrown) {
    onProgress?.(`the model answers from Python, as its ONNX form does not: ${messageOf(thrown)}`);
    return undefined;
  }
};

const isRows = (input: Table | readonly Row[]): input is readonly Row[] => Array.isArray(input);

const checked = (signature: Signature, input: Table | readonly Row[], options?: CheckInputOptions): Table =>
  isRows(input) ? tableFromRows(signature, input, options) : tableFromTable(signature, input, options);

const readExample = (files: PackageFiles): Row[] => {
  const { columns, data } = readJsonFile<{ columns: string[]; data: unknown[][] }>(
    files,
    'input_example.json',
  );
  return data.map((cells) => Object.fromEntries(columns.map((name, index) => [name, cells[index] ?? null])));
};
