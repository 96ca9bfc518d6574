import { Invalid } from '@millrace/errors';
import { labelScalar, type Prediction, type Row, type Signature } from '@millrace/modeling';
import { z } from 'zod';

/**
 * The JSON form of the Open Inference Protocol v2
 * (https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md).
 */
const tensorSchema = z.object({
  name: z.string().min(1),
  shape: z.array(z.number().int().nonnegative()).min(1),
  datatype: z.string(),
  /** Flat, or nested by row. */
  data: z.array(z.unknown()),
});

const requestSchema = z.object({
  id: z.string().max(256).optional(),
  parameters: z.record(z.string(), z.unknown()).optional(),
  inputs: z.array(tensorSchema).min(1),
  outputs: z.array(z.object({ name: z.string() }).loose()).optional(),
});

export interface InferRequest {
  readonly id: string | undefined;
  readonly rows: readonly Row[];
  /** Outputs asked for; empty: all. */
  readonly outputs: readonly string[];
}

/**
 * Rows of an inference request: one tensor per feature, of shape [n] or [n, 1], or one of shape [n, features] that holds
 * all features in the order of the signature. Throws `Invalid`.
 */
export const parseInferRequest = (body: unknown, signature: Signature): InferRequest => {
  const parsed = requestSchema.safeParse(body);
  if (!parsed.success) throw invalidBody(parsed.error);
  const { id, inputs, outputs = [] } = parsed.data;
  const wanted = outputs.map(({ name }) => name);
  const matrix = matrixOf(inputs, signature);
  if (matrix !== undefined) return { id, rows: rowsOf(matrix, signature), outputs: wanted };
  const rowCount = inputs[0]?.shape[0] ?? 0;
  const columns = new Map<string, readonly unknown[]>();
  for (const [i, tensor] of inputs.entries()) {
    const path = `inputs[${i}]`;
    if (columns.has(tensor.name)) throw Invalid.field(`${path}.name`, `"${tensor.name}" is given twice`);
    columns.set(tensor.name, valuesOf(tensor, rowCount, path));
  }
  const rows = Array.from({ length: rowCount }, (_, at) =>
    Object.fromEntries([...columns].map(([name, values]) => [name, values[at]])),
  );
  return { id, rows, outputs: wanted };
};

/** The only tensor, when it is no feature by its name and as wide as there are features. */
const matrixOf = (inputs: readonly Tensor[], { inputs: features }: Signature): Tensor | undefined => {
  const [only] = inputs;
  if (inputs.length !== 1 || only === undefined || features.some(({ name }) => name === only.name)) {
    return undefined;
  }
  return only.shape.length === 2 && only.shape[1] === features.length ? only : undefined;
};

const rowsOf = ({ shape, datatype, data }: Tensor, { inputs: features }: Signature): Row[] => {
  const width = features.length;
  const cells = flatValues({ datatype, data }, (shape[0] ?? 0) * width, 'inputs[0]');
  return Array.from({ length: cells.length / width }, (_, row) =>
    Object.fromEntries(features.map(({ name }, at) => [name, cells[row * width + at]])),
  );
};

type Tensor = z.infer<typeof tensorSchema>;

/** The values of a tensor, one per row; `null` is a missing value. */
const valuesOf = ({ shape, datatype, data }: Tensor, rowCount: number, path: string): readonly unknown[] => {
  const isColumn = shape.length === 1 || (shape.length === 2 && shape[1] === 1);
  if (!isColumn || shape[0] !== rowCount) {
    throw Invalid.field(`${path}.shape`, `must be [${rowCount}] or [${rowCount}, 1]: one tensor per feature`);
  }
  return flatValues({ datatype, data }, rowCount, path);
};

const flatValues = (
  { datatype, data }: Pick<Tensor, 'datatype' | 'data'>,
  count: number,
  path: string,
): readonly unknown[] => {
  // Counted before anything is made of the shape, which may claim any number.
  const values = data.flat();
  if (values.length !== count) {
    throw Invalid.field(`${path}.data`, `has ${values.length} values where shape says ${count}`);
  }
  const fits = datatypeChecks[datatype];
  if (fits === undefined) {
    const known = Object.keys(datatypeChecks).join(', ');
    throw Invalid.field(`${path}.datatype`, `"${datatype}" is not one of ${known}`);
  }
  const wrong = values.findIndex((value) => value !== null && !fits(value));
  if (wrong >= 0) {
    throw Invalid.field(`${path}.data[${wrong}]`, `${JSON.stringify(values[wrong])} is not ${datatype}`);
  }
  return values;
};

const isNumber = (value: unknown): boolean => typeof value === 'number';
const isBetween = (least: number, most: number) => (value: unknown) =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most;

/** Datatypes of the protocol, and the JSON values that stand for each. */
const datatypeChecks: Readonly<Record<string, (value: unknown) => boolean>> = {
  BOOL: (value) => typeof value === 'boolean',
  UINT8: isBetween(0, 2 ** 8 - 1),
  UINT16: isBetween(0, 2 ** 16 - 1),
  UINT32: isBetween(0, 2 ** 32 - 1),
  UINT64: isBetween(0, Number.MAX_SAFE_INTEGER),
  INT8: isBetween(-(2 ** 7), 2 ** 7 - 1),
  INT16: isBetween(-(2 ** 15), 2 ** 15 - 1),
  INT32: isBetween(-(2 ** 31), 2 ** 31 - 1),
  INT64: isBetween(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  FP16: isNumber,
  FP32: isNumber,
  FP64: isNumber,
  BYTES: (value) => typeof value === 'string',
};

const invalidBody = (error: z.ZodError): Invalid => {
  const violations = error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
  return new Invalid(violations.map(({ path, message }) => `${path}: ${message}`).join('; '), { violations });
};

const datatypes: Record<Signature['inputs'][number]['type'], string> = {
  number: 'FP64',
  integer: 'INT64',
  boolean: 'BOOL',
  string: 'BYTES',
  timestamp: 'BYTES',
};

/** What was predicted, one per row; a class in the type of the target column. */
export const predictedValues = (prediction: Prediction, { output }: Signature) =>
  prediction.kind === 'regression'
    ? prediction.values
    : prediction.labels.map((label) => labelScalar(label, output.type));

/**
 * Output tensors of a prediction: the target, and for a classification the probabilities of each class. Throws
 * `Invalid` when an output is wanted that the model does not have.
 */
export const inferOutputs = (prediction: Prediction, signature: Signature, wanted: readonly string[]) => {
  const values = predictedValues(prediction, signature);
  const outputs: { name: string; [field: string]: unknown }[] = [
    {
      name: signature.output.name,
      shape: [values.length],
      datatype: datatypes[signature.output.type],
      data: values,
    },
  ];
  if (prediction.kind === 'classification' && prediction.probabilities !== undefined) {
    outputs.push({
      name: 'probabilities',
      shape: [values.length, prediction.classes.length],
      datatype: 'FP64',
      data: prediction.probabilities.flat(),
      parameters: { classes: prediction.classes },
    });
  }
  const known = outputs.map(({ name }) => name);
  const unknown = wanted.findIndex((name) => !known.includes(name));
  if (unknown >= 0) {
    throw Invalid.field(`outputs[${unknown}].name`, `"${wanted[unknown]}" is not one of ${known.join(', ')}`);
  }
  return wanted.length === 0 ? outputs : outputs.filter(({ name }) => wanted.includes(name));
};

/** Metadata of a model, as the protocol wants it. */
export const modelMetadata = (endpoint: string, versions: readonly string[], signature: Signature) => ({
  name: endpoint,
  versions,
  platform: 'millrace',
  inputs: signature.inputs.map(({ name, type }) => ({ name, datatype: datatypes[type], shape: [-1] })),
  outputs: [{ name: signature.output.name, datatype: datatypes[signature.output.type], shape: [-1] }],
});
