import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobMain } from '@millrace/jobs';
import type { Table } from '@millrace/tabular';
import type { StateFile, UserFunction } from '../package/model-definition.ts';
import type { Prediction } from '../prediction.ts';
import { columnArrays } from '../table-access.ts';
import { checkColumns, checkPrediction } from './check-output.ts';
import { functionName, loadUserEstimator, loadUserTransform } from './user-functions.ts';
import { decodeState } from './user-state.ts';

/** One call of a package's user code. The package's files lie in `directory`. */
export interface UserModelCall {
  readonly directory: string;
  readonly function: UserFunction;
  readonly stateFile: StateFile;
  readonly features: Table;
  readonly purpose:
    | { readonly kind: 'transform' }
    | {
        readonly kind: 'predict';
        readonly params: Readonly<Record<string, unknown>>;
        readonly task: 'regression' | 'classification';
        readonly classes: readonly string[];
      };
}

export type UserModelAnswer =
  | { readonly kind: 'transform'; readonly table: Table }
  | { readonly kind: 'predict'; readonly prediction: Prediction };

type Answer = (features: Table) => Promise<UserModelAnswer>;

/** Loaded functions with their states, for the calls that follow in this process. */
const loaded = new Map<string, Promise<Answer>>();

const main: JobMain<UserModelCall, UserModelAnswer> = async (call, context) => {
  const key = `${call.purpose.kind} ${call.directory}`;
  context.activity(`${call.purpose.kind} of ${functionName(call.function)}`);
  const answer = loaded.get(key) ?? load(call);
  loaded.set(key, answer);
  return (await answer)(call.features);
};
export default main;

const load = async (call: UserModelCall): Promise<Answer> => {
  const { directory, purpose } = call;
  const owner = functionName(call.function);
  const code = join(directory, 'code');
  const folder = purpose.kind === 'transform' ? 'transform' : 'model';
  const state = decodeState(call.stateFile, await readFile(join(directory, folder, call.stateFile)));
  if (purpose.kind === 'transform') {
    const transform = await loadUserTransform(code, call.function);
    return async (features) => ({
      kind: 'transform',
      table: checkColumns(
        await transform.transform({ state, features: columnArrays(features) }),
        features.rowCount,
        owner,
      ),
    });
  }
  const { params, task, classes } = purpose;
  const estimator = await loadUserEstimator(code, call.function, params);
  return async (features) => {
    const output = await estimator.predict({ state, features: columnArrays(features), task, classes });
    return {
      kind: 'predict',
      prediction: checkPrediction(output, { rows: features.rowCount, task, classes, owner }),
    };
  };
};
