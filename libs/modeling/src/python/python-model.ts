import { rm } from 'node:fs/promises';
import { Internal } from '@millrace/errors';
import type { OutputLine } from '@millrace/jobs';
import { arrowToTable, type PythonEnvironment, PythonProcess, tableToArrow } from '@millrace/python-runtime';
import type { Table } from '@millrace/tabular';
import { layOut } from '../package/lay-out.ts';
import type { PackageFiles } from '../package/manifest.ts';
import type { Mlmodel } from '../package/mlmodel.ts';
import type { PackagedPythonModel } from '../package/model-definition.ts';
import { type ModelChild, ModelProcess, type UserCodeLimits } from '../package/model-process.ts';
import type { Signature } from '../package/signature.ts';
import type { Prediction } from '../prediction.ts';

/** What a worker is told when it loads a model: see `millrace/jobs/serve.py`. */
export interface LoadModel {
  readonly signature: {
    readonly columns?: readonly object[];
    readonly tensor?: string;
    readonly tensors?: readonly object[];
  };
  readonly task: 'regression' | 'classification';
  readonly classes: readonly string[] | null;
  readonly output: string;
}

export interface PythonModelOptions extends UserCodeLimits {
  readonly environment: PythonEnvironment;
  /** Milliseconds that loading may take, imports included. Default 300,000. */
  readonly loadTimeoutMs?: number;
  /** Takes what the model's own code writes. */
  readonly onLog?: (line: OutputLine) => void;
}

const defaultLoadTimeoutMs = 300_000;
const defaultMemoryMb = 1_024;

/** A Python model in a worker of its own environment, and nowhere else: see `ModelProcess`. */
export class PythonModel {
  readonly #directory: string;
  readonly #signature: Signature;
  readonly #process: ModelProcess<Table, Table>;

  private constructor(directory: string, signature: Signature, load: LoadModel, options: PythonModelOptions) {
    this.#directory = directory;
    this.#signature = signature;
    this.#process = new ModelProcess(() => startWorker(directory, load, options), options);
  }

  /** Lays the package out in a fresh directory and loads it; throws what keeps it from loading. */
  static async open(
    files: PackageFiles,
    mlmodel: Mlmodel,
    definition: PackagedPythonModel,
    signature: Signature,
    options: PythonModelOptions,
  ): Promise<PythonModel> {
    const load = loadOf(mlmodel, definition, signature);
    const model = new PythonModel(await layOut(files), signature, load, options);
    try {
      await model.#process.warmUp();
      return model;
    } catch (thrown) {
      await model.close();
      throw thrown;
    }
  }

  async predict(features: Table): Promise<Prediction> {
    return predictionOf(await this.#process.call(features), this.#signature);
  }

  async close(): Promise<void> {
    await this.#process.close();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

const loadOf = (
  { inputs }: Mlmodel,
  { output = 'labels' }: PackagedPythonModel,
  { output: { task, classes } }: Signature,
): LoadModel => ({
  signature: signatureOf(inputs),
  task,
  classes: classes ?? null,
  output,
});

/** What a worker must know of a model's inputs. */
export const signatureOf = (inputs: Mlmodel['inputs']): LoadModel['signature'] => {
  if (inputs === undefined) return {};
  if (inputs.kind === 'columns') return { columns: inputs.columns };
  const [only] = inputs.tensors;
  if (inputs.tensors.length === 1 && only?.name === undefined) return { tensor: only?.dtype ?? 'float64' };
  return { tensors: inputs.tensors };
};

const startWorker = async (
  directory: string,
  load: LoadModel,
  { environment, memoryMb, loadTimeoutMs, onLog }: PythonModelOptions,
): Promise<ModelChild<Table, Table>> => {
  const worker = await PythonProcess.start({
    environment,
    userRoot: directory,
    // As with a JavaScript heap: the whole process may hold twice as much.
    memoryMb: (memoryMb ?? defaultMemoryMb) * 2,
  });
  const log = onLog === undefined ? {} : { onLog };
  try {
    await worker.call(
      'serve',
      { call: 'load', model: directory, ...load },
      { timeoutMs: loadTimeoutMs ?? defaultLoadTimeoutMs, activity: 'loading of the model', ...log },
    );
  } catch (thrown) {
    await worker.kill();
    throw thrown;
  }
  return {
    get alive() {
      return worker.alive;
    },
    ref: () => worker.ref(),
    unref: () => worker.unref(),
    kill: () => worker.kill(),
    call: async (features, timeoutMs) => {
      const { table } = await worker.call(
        'serve',
        { call: 'predict' },
        { table: tableToArrow(features), timeoutMs, activity: 'prediction of the model', ...log },
      );
      if (table === undefined) throw new Internal('the worker answered without a table');
      return arrowToTable(table);
    },
  };
};

/** A missing answer becomes `NaN`, which whoever asked refuses. */
const predictionOf = ({ rowCount, columns }: Table, { output }: Signature): Prediction => {
  const valuesOf = (name: string) => columns.find((column) => column.name === name)?.values;
  const numberOf = (value: unknown): number => (value === null ? Number.NaN : Number(value));
  if (output.task === 'regression') {
    return { kind: 'regression', values: (valuesOf('prediction') ?? []).map(numberOf) };
  }
  const classes = output.classes ?? [];
  const labels = (valuesOf('label') ?? []).map(String);
  const unknown = labels.find((label) => !classes.includes(label));
  if (unknown !== undefined) {
    throw new Internal(`the model answered class "${unknown}", which its signature does not have`);
  }
  const scores = classes.flatMap((_, position) => {
    const values = valuesOf(`score_${position}`);
    return values === undefined ? [] : [values];
  });
  if (scores.length !== classes.length) return { kind: 'classification', classes, labels };
  const probabilities = Array.from({ length: rowCount }, (_, row) =>
    scores.map((values) => numberOf(values[row] ?? null)),
  );
  return { kind: 'classification', classes, labels, probabilities };
};
