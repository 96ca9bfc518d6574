import type { JobMain } from '@millrace/jobs';
import {
  applyTransform,
  inferSignature,
  type PackagedTransform,
  type Signature,
  type Task,
} from '@millrace/modeling';
import type { Table } from '@millrace/tabular';
import { type PreparedData, writePrepared } from './prepared-data.ts';
import { type RawSplit, readTrainSplit, readValidationSplit } from './splits.ts';

export interface PrepareInput {
  /** Parquet files of the splits. */
  readonly train: string;
  readonly validation: string;
  readonly targetColumn: string;
  readonly task: Task;
  /** A user's transform is not applied here: its rows stay raw. */
  readonly transform: PackagedTransform;
  /** Where the prepared data goes. */
  readonly output: string;
}

export interface PrepareOutput {
  readonly signature: Signature;
  /** First raw rows, for the package's input example. */
  readonly example: Table;
  readonly trainRows: number;
  readonly validationRows: number;
  /** Columns that the estimator sees. */
  readonly columns: number;
}

const exampleRows = 5;

/** Reads the splits and applies the built-in transform, once for all trials. */
const main: JobMain<PrepareInput, PrepareOutput> = async (input, context) => {
  context.activity('the preparation of the splits');
  const { transform } = input;
  const [train, validation] = await context.span('read splits', () =>
    Promise.all([
      readTrainSplit(input.train, input.targetColumn, input.task),
      readValidationSplit(input.validation, input.targetColumn),
    ]),
  );
  const apply = ({ features, labels }: RawSplit) => ({
    features: transform.kind === 'builtin' ? applyTransform(transform.state, features) : features,
    labels,
  });
  const data: PreparedData = await context.span('apply transform', async () => ({
    train: apply(train),
    trainTarget: train.target,
    validation: apply(validation),
  }));
  await writePrepared(input.output, data);
  const used =
    transform.kind === 'builtin'
      ? transform.state.inputs.map(({ name }) => name)
      : train.features.columns.map(({ name }) => name);
  return {
    signature: inferSignature(train.features, used, {
      name: input.targetColumn,
      type: train.targetType,
      values: train.target,
    }),
    example: firstRows(train.features),
    trainRows: train.features.rowCount,
    validationRows: validation.features.rowCount,
    columns: data.train.features.columns.length,
  };
};
export default main;

const firstRows = (table: Table): Table => ({
  rowCount: Math.min(exampleRows, table.rowCount),
  columns: table.columns.map(
    (column) => ({ ...column, values: column.values.slice(0, exampleRows) }) as typeof column,
  ),
});
