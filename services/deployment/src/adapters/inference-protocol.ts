import { Invalid } from '@millrace/errors';
import type { Prediction, Row, Signature } from '@millrace/modeling';
import { z } from 'zod';

/**
 * The JSON form of the Open Inference Protocol v2
 * (https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md).
 */
const tensorSchema = z.object({
  name: z.string().min(1),
  shape: z.array(z.number().int().nonnegative()).min(1),
  datatype: z.string(),
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

/** Rows of an inference request: one tensor per feature, of shape [n] or [n, 1]. Throws `Invalid`. */
export const parseInferRequest = (body: unknown): InferRequest => {
  const parsed = requestSchema.safeParse(body);
  if (!parsed.success) throw invalidBody(parsed.error);
  const { id, inputs, outputs = [] } = parsed.data;
  const rowCount = inputs[0]?.shape[0] ?? 0;
  const rows: Record<string, unknown>[] = Array.from({ length: rowCount }, () => ({}));
  for (const [i, tensor] of inputs.entries()) {
    const path = `inputs[${i}]`;
    const cells = tensor.shape.reduce((product, length) => product * length, 1);
    if (tensor.shape.length > 2 || cells !== rowCount || tensor.shape[0] !== rowCount) {
      throw Invalid.field(
        `${path}.shape`,
        `must be [${rowCount}] or [${rowCount}, 1]: one tensor per feature`,
      );
    }
    if (tensor.data.length !== rowCount) {
      throw Invalid.field(`${path}.data`, `has ${tensor.data.length} values where shape says ${rowCount}`);
    }
    for (const [at, row] of rows.entries()) row[tensor.name] = tensor.data[at];
  }
  return { id, rows, outputs: outputs.map(({ name }) => name) };
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

/** Output tensors of a prediction: the target, and for a classification the probabilities of each class. */
export const inferOutputs = (prediction: Prediction, signature: Signature, wanted: readonly string[]) => {
  const values = prediction.kind === 'regression' ? prediction.values : prediction.labels;
  const outputs: object[] = [
    {
      name: signature.output.name,
      shape: [values.length],
      datatype: prediction.kind === 'regression' ? 'FP64' : 'BYTES',
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
  return wanted.length === 0
    ? outputs
    : outputs.filter((output) => wanted.includes((output as { name: string }).name));
};

/** Metadata of a model, as the protocol wants it. */
export const modelMetadata = (endpoint: string, versions: readonly string[], signature: Signature) => ({
  name: endpoint,
  versions,
  platform: 'millrace',
  inputs: signature.inputs.map(({ name, type }) => ({ name, datatype: datatypes[type], shape: [-1] })),
  outputs: [{ name: signature.output.name, datatype: datatypes[signature.output.type], shape: [-1] }],
});
