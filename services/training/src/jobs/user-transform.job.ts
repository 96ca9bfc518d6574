import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import type { JobMain } from '@millrace/jobs';
import {
  checkColumns,
  columnArrays,
  decodeState,
  encodeState,
  functionName,
  loadUserTransform,
  type StateFile,
  type UserFunction,
} from '@millrace/modeling';
import type { Table } from '@millrace/tabular';
import { readPrepared, writePrepared } from './prepared-data.ts';

export type UserTransformInput = {
  /** Raw rows, as `prepare.job` leaves them. */
  readonly prepared: string;
  /** Root of the user's code. */
  readonly code: string;
  readonly function: UserFunction;
} & (
  | {
      readonly kind: 'fit';
      /** Where the state goes. */
      readonly directory: string;
      /** Where the transformed training rows go, serialized. */
      readonly transformed: string;
    }
  | {
      readonly kind: 'apply';
      readonly directory: string;
      readonly stateFile: StateFile;
      readonly output: string;
    }
);

export interface UserTransformOutput {
  readonly stateFile: StateFile;
  readonly columns: number;
}

/** Fits a user's transform on the training rows, or applies the fitted one to both splits. */
const main: JobMain<UserTransformInput, UserTransformOutput> = async (input, context) => {
  const owner = functionName(input.function);
  context.activity(`import of ${input.function.file}`);
  const transform = await loadUserTransform(input.code, input.function);
  const data = await readPrepared(input.prepared);
  const apply = async (state: unknown, features: Table): Promise<Table> => {
    context.activity(`transform of ${owner}`);
    const output = await transform.transform({ state, features: columnArrays(features) });
    return checkColumns(output, features.rowCount, owner);
  };
  if (input.kind === 'apply') {
    const state = decodeState(input.stateFile, await readFile(join(input.directory, input.stateFile)));
    const train = await apply(state, data.train.features);
    const validation = await apply(state, data.validation.features);
    await writePrepared(input.output, {
      ...data,
      train: { ...data.train, features: train },
      validation: { ...data.validation, features: validation },
    });
    return { stateFile: input.stateFile, columns: train.columns.length };
  }
  context.activity(`fit of ${owner}`);
  const fitted = await context.span(`fit ${owner}`, async () =>
    transform.fit({ features: columnArrays(data.train.features), target: [...data.train.labels] }),
  );
  const { file, bytes } = encodeState(fitted, owner);
  await mkdir(input.directory, { recursive: true });
  await writeFile(join(input.directory, file), bytes);
  // Applied once from its stored form: a transform that cannot serve is found here and not in production.
  const transformed = await apply(decodeState(file, bytes), data.train.features);
  await writeFile(input.transformed, serialize(transformed));
  return { stateFile: file, columns: transformed.columns.length };
};
export default main;
