import { Internal } from '@millrace/errors';
import type { Table } from '@millrace/tabular';
import { estimatorNamed } from '../estimators/catalog.ts';
import { readJsonFile } from '../estimators/files.ts';
import type { Prediction } from '../prediction.ts';
import { applyTransform } from '../transform/apply.ts';
import { type CheckInputOptions, type Row, tableFromRows, tableFromTable } from './check-input.ts';
import { filesUnder, type PackageFiles } from './manifest.ts';
import type { PackagedEstimator, PackagedTransform } from './model-definition.ts';
import type { UserCodeLimits } from './model-process.ts';
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

/** Loads a model package. Throws `Invalid` when a file is missing or damaged. */
export const loadPredictor = async (files: PackageFiles, limits: UserCodeLimits = {}): Promise<Predictor> => {
  const signature = readJsonFile<Signature>(files, 'signature.json');
  const transform = readJsonFile<PackagedTransform>(files, 'transform.json');
  const estimator = readJsonFile<PackagedEstimator>(files, 'model.json');
  const inputExample = readExample(files);
  const answer = await answerer(files, signature, transform, estimator, limits);
  return {
    signature,
    inputExample,
    tableOf: (rows, options) => tableFromRows(signature, rows, options),
    predict: async (input, options) => answer.predict(checked(signature, input, options)),
    close: answer.close,
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
  const transformed = async (features: Table): Promise<Table> => {
    if (transform.kind === 'builtin') return applyTransform(transform.state, features);
    return transform.kind === 'none' || user === undefined ? features : user.transform(transform, features);
  };
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
