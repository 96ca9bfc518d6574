import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Internal, Invalid, messageOf, Unavailable } from '@millrace/errors';
import type { Column, Table } from '@millrace/tabular';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { layOut } from '../package/lay-out.ts';
import type { PackageFiles } from '../package/manifest.ts';
import type { Signature } from '../package/signature.ts';
import { labelsOf, type Prediction } from '../prediction.ts';
import { inspectOnnx, type OnnxDescription, type OnnxValue } from './inspect.ts';
import { encodeField } from './protobuf.ts';

type Runtime = typeof import('onnxruntime-node');

/** Runs under way or waiting. */
const mostRuns = 64;

/**
 * A model in the ONNX format, run in this process by ONNX Runtime on threads of its own. It takes a column per input, or
 * all columns as one matrix of numbers; a missing number is NaN, a missing text or integer is refused.
 */
export class OnnxModel {
  readonly #runtime: Runtime;
  readonly #session: InferenceSession;
  readonly #description: OnnxDescription;
  readonly #signature: Signature;
  #runs = 0;

  private constructor(
    runtime: Runtime,
    session: InferenceSession,
    description: OnnxDescription,
    signature: Signature,
  ) {
    this.#runtime = runtime;
    this.#session = session;
    this.#description = description;
    this.#signature = signature;
  }

  /**
   * Checks and loads the file at `path` of the package.
   *
   * @throws Invalid when it is damaged, reaches outside the package, uses operators that the runtime does not have,
   *   or takes other inputs than the signature's
   */
  static async open(files: PackageFiles, path: string, signature: Signature): Promise<OnnxModel> {
    const description = inspectOnnx(files, path);
    checkInputs(description, signature, path);
    const runtime = await import('onnxruntime-node');
    const bytes = withProbabilities(files.get(path) ?? new Uint8Array(), description);
    try {
      const session = await createSession(runtime, files, path, bytes, description);
      return new OnnxModel(runtime, session, description, signature);
    } catch (cause) {
      throw Invalid.field(path, `ONNX Runtime does not load it: ${messageOf(cause)}`, { cause });
    }
  }

  /** Predicts for a table that the signature describes, as many rows as it has. */
  async predict(features: Table): Promise<Prediction> {
    if (this.#runs >= mostRuns) throw new Unavailable(`${this.#runs} calls of the model wait already`);
    this.#runs += 1;
    try {
      const outputs = await this.#session.run(this.#feeds(features), this.#wanted());
      return this.#predictionOf(outputs, features.rowCount);
    } finally {
      this.#runs -= 1;
    }
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  /** Every output that is a tensor; a list of maps is replaced by the tensor that it is made from. */
  #wanted(): string[] {
    const { outputs, zipMaps } = this.#description;
    return outputs.map(({ name }) => zipMaps.find(({ output }) => output === name)?.input ?? name);
  }

  #feeds(features: Table): Record<string, Tensor> {
    const { inputs } = this.#description;
    const matrix = inputs.length === 1 && !isColumn(inputs[0], features) ? inputs[0] : undefined;
    if (matrix !== undefined) {
      return { [matrix.name]: this.#tensor(matrix, features.columns, features.rowCount) };
    }
    return Object.fromEntries(
      inputs.map((input) => {
        const column = features.columns.find(({ name }) => name === input.name);
        if (column === undefined) throw new Internal(`the table has no column "${input.name}"`);
        return [input.name, this.#tensor(input, [column], features.rowCount)];
      }),
    );
  }

  #tensor({ elementType, shape }: OnnxValue, columns: readonly Column[], rows: number): Tensor {
    const element = elementTypes[elementType ?? 0];
    if (element === undefined) throw new Internal(`no tensor can be made of element type ${elementType}`);
    const cells = Array.from({ length: rows }, (_, row) =>
      columns.map((column) => element.cell(column.values[row] ?? null, column.name, row)),
    ).flat();
    const dims = shape?.length === 1 ? [rows] : [rows, columns.length];
    return new this.#runtime.Tensor(element.type, element.pack(cells) as never, dims);
  }

  #predictionOf(outputs: InferenceSession.OnnxValueMapType, rows: number): Prediction {
    const tensors = this.#wanted().map((name) => outputs[name] as Tensor);
    const { task, classes = [] } = this.#signature.output;
    if (task === 'regression') return { kind: 'regression', values: numbersOf(tensors[0], rows) };
    const scores = tensors.find((tensor) => isScores(tensor, rows, classes.length));
    const probabilities = scores === undefined ? undefined : this.#probabilities(scores, rows, classes);
    const given = tensors.find(({ type, size }) => labelTypes.has(type) && size === rows);
    const labels = given === undefined ? undefined : Array.from(given.data as ArrayLike<unknown>, String);
    if (labels === undefined && probabilities === undefined) {
      throw new Internal('the model gives neither labels nor a probability per class');
    }
    return {
      kind: 'classification',
      classes,
      labels: labels?.map((label) => classNamed(label, classes)) ?? labelsOf(classes, probabilities ?? []),
      ...(probabilities === undefined ? {} : { probabilities }),
    };
  }

  /** In the order of the signature's classes. */
  #probabilities(scores: Tensor, rows: number, classes: readonly string[]): number[][] {
    const values = Array.from(scores.data as ArrayLike<number>, Number);
    const width = values.length / rows;
    if (width === 1) return values.map((positive) => [1 - positive, positive]);
    const given = this.#description.zipMaps[0]?.classes.map((label) => classNamed(label, classes)) ?? classes;
    const positions = classes.map((name) => given.indexOf(name));
    return Array.from({ length: rows }, (_, row) =>
      positions.map((position) => values[row * width + position] ?? 0),
    );
  }
}

/** Adds the inputs of each `ZipMap` to the graph's outputs: fields of a message that occurs twice are joined. */
const withProbabilities = (bytes: Uint8Array, { zipMaps }: OnnxDescription): Uint8Array => {
  const encoder = new TextEncoder();
  const outputs = zipMaps.map(({ input }) => encodeField(12, encodeField(1, encoder.encode(input))));
  return outputs.length === 0
    ? bytes
    : Buffer.concat([bytes, ...outputs.map((output) => encodeField(7, output))]);
};

const createSession = async (
  runtime: Runtime,
  files: PackageFiles,
  path: string,
  bytes: Uint8Array,
  { externalFiles }: OnnxDescription,
): Promise<InferenceSession> => {
  const options = { executionProviders: ['cpu'], intraOpNumThreads: 2, logSeverityLevel: 3 } as const;
  if (externalFiles.length === 0) return runtime.InferenceSession.create(bytes, options);
  // Tensors in other files are found beside the model's.
  const directory = await layOut(
    new Map([...externalFiles.map((file) => [file, files.get(file) ?? bytes] as const), [path, bytes]]),
  );
  try {
    return await runtime.InferenceSession.create(join(directory, path), options);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

const isColumn = (input: OnnxValue | undefined, features: Table): boolean =>
  input !== undefined &&
  (input.shape?.[1] ?? 1) === 1 &&
  features.columns.some(({ name }) => name === input.name);

const checkInputs = ({ inputs }: OnnxDescription, signature: Signature, path: string): void => {
  const features = signature.inputs.map(({ name }) => name);
  const odd = inputs.find(({ elementType }) => elementTypes[elementType ?? 0] === undefined);
  if (odd !== undefined) throw Invalid.field(path, `input "${odd.name}" has a type that is not served`);
  const unknown = inputs.find(({ name }) => !features.includes(name));
  if (unknown === undefined) return;
  const [only] = inputs;
  const width = only?.shape?.[1] ?? features.length;
  if (inputs.length === 1 && width === features.length && (only?.shape?.length ?? 2) === 2) return;
  throw Invalid.field(path, `input "${unknown.name}" of ${basename(path)} is no column of the signature`, {
    hint: 'The inputs must be the columns by name, or one matrix [n, columns] of them all.',
  });
};

type Value = string | number | boolean | null;

interface ElementType {
  readonly type: 'float32' | 'float64' | 'int32' | 'int64' | 'string' | 'bool';
  cell(value: Value, column: string, row: number): unknown;
  pack(cells: readonly unknown[]): unknown;
}

const missing = (column: string, row: number): Invalid =>
  Invalid.field(`inputs[${row}].${column}`, 'is missing, and the ONNX form of this model needs a value here');

const present = (value: Value, column: string, row: number): string | number | boolean => {
  if (value === null) throw missing(column, row);
  return value;
};

const numeric = (value: Value): number => (value === null ? Number.NaN : Number(value));

/** Element types of ONNX tensors that a table's cells can become, by `TensorProto.DataType`. */
const elementTypes: Readonly<Record<number, ElementType>> = {
  1: { type: 'float32', cell: numeric, pack: (cells) => Float32Array.from(cells as number[]) },
  11: { type: 'float64', cell: numeric, pack: (cells) => Float64Array.from(cells as number[]) },
  6: {
    type: 'int32',
    cell: (...cell) => Number(present(...cell)),
    pack: (cells) => Int32Array.from(cells as number[]),
  },
  7: {
    type: 'int64',
    cell: (...cell) => BigInt(Math.trunc(Number(present(...cell)))),
    pack: (cells) => BigInt64Array.from(cells as bigint[]),
  },
  8: { type: 'string', cell: (...cell) => String(present(...cell)), pack: (cells) => cells },
  9: {
    type: 'bool',
    cell: (...cell) => (present(...cell) ? 1 : 0),
    pack: (cells) => Uint8Array.from(cells as number[]),
  },
};

const labelTypes = new Set(['int64', 'int32', 'string', 'bool']);
const scoreTypes = new Set(['float32', 'float64']);

const isScores = ({ type, size }: Tensor, rows: number, classes: number): boolean =>
  scoreTypes.has(type) && (size === rows * classes || (classes === 2 && size === rows));

const numbersOf = (tensor: Tensor | undefined, rows: number): number[] => {
  if (tensor === undefined || tensor.type === 'string' || tensor.size !== rows) {
    throw new Internal(`the model gives no number per row: ${tensor?.type} of [${tensor?.dims.join(', ')}]`);
  }
  return Array.from(tensor.data as ArrayLike<number | bigint>, Number);
};

/** Converters write classes that are not numbers or text (true and false) as their positions. */
const classNamed = (label: string, classes: readonly string[]): string => {
  if (classes.includes(label)) return label;
  const byPosition = classes[Number(label)];
  if (byPosition !== undefined) return byPosition;
  throw new Internal(`the model answered class "${label}", which its signature does not have`);
};
