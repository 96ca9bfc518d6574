/** What to do with the fields of a protobuf message, by field number. */
interface Rule {
  readonly drop?: number;
  /** A map: its entries are written in no fixed order. */
  readonly sort?: number;
  readonly inside?: readonly [field: number, rule: Rule];
}

/**
 * The parts of a saved model that differ between two trainings on the same data: `AbstractModel.metadata` (a
 * time and a random id) and the order of `AbstractModel.precomputed_variable_importances` in `header.pb`, the
 * order of each column's category dictionary (`Column.categorical.items`) in `data_spec.pb`, and the logs of
 * the training in the learners' own headers, which predictions do not need.
 */
const rules: Readonly<Record<string, Rule>> = {
  'header.pb': { drop: 10, sort: 7 },
  'data_spec.pb': { inside: [1, { inside: [6, { sort: 7 }] }] },
  // `out_of_bag_evaluations`
  'random_forest_header.pb': { drop: 4 },
  // `training_logs`
  'gradient_boosted_trees_header.pb': { drop: 8 },
};

/** A file of a YDF model in the one form that equal models share. Other files are returned as they are. */
export const canonicalFile = (name: string, bytes: Uint8Array): Uint8Array => {
  const rule = rules[name];
  return rule === undefined ? bytes : canonicalMessage(bytes, rule);
};

interface Field {
  readonly number: number;
  readonly bytes: Uint8Array;
  /** Where the payload begins in `bytes`. */
  readonly payload: number;
}

const canonicalMessage = (message: Uint8Array, rule: Rule): Uint8Array => {
  const fields = fieldsOf(message).filter((field) => field.number !== rule.drop);
  const entries = fields
    .filter((field) => field.number === rule.sort)
    .map((field) => field.bytes)
    .sort(Buffer.compare);
  return Buffer.concat(
    fields.map((field) => {
      if (field.number === rule.sort) return entries.shift() ?? field.bytes;
      if (field.number === rule.inside?.[0]) return canonicalField(field, rule.inside[1]);
      return field.bytes;
    }),
  );
};

/** The rules inside keep every byte, so the length in front of the payload stays right. */
const canonicalField = (field: Field, rule: Rule): Uint8Array =>
  Buffer.concat([
    field.bytes.subarray(0, field.payload),
    canonicalMessage(field.bytes.subarray(field.payload), rule),
  ]);

const fieldsOf = (message: Uint8Array): Field[] => {
  const fields: Field[] = [];
  let offset = 0;
  while (offset < message.length) {
    const tag = readVarint(message, offset);
    const { payload, end } = extent(message, tag.end, tag.value & 7);
    fields.push({ number: tag.value >>> 3, bytes: message.subarray(offset, end), payload: payload - offset });
    offset = end;
  }
  return fields;
};

const readVarint = (bytes: Uint8Array, start: number): { value: number; end: number } => {
  let value = 0;
  let factor = 1;
  for (let offset = start; offset < bytes.length; offset += 1) {
    const byte = bytes[offset] ?? 0;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return { value, end: offset + 1 };
    factor *= 128;
  }
  throw new Error('truncated protobuf message');
};

/** Wire types of https://protobuf.dev/programming-guides/encoding/ */
const extent = (bytes: Uint8Array, start: number, wireType: number): { payload: number; end: number } => {
  if (wireType === 0) return { payload: start, end: readVarint(bytes, start).end };
  if (wireType === 1) return { payload: start, end: start + 8 };
  if (wireType === 5) return { payload: start, end: start + 4 };
  if (wireType === 2) {
    const length = readVarint(bytes, start);
    return { payload: length.end, end: length.end + length.value };
  }
  throw new Error(`protobuf wire type ${wireType} is not in use`);
};
