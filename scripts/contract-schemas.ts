/** Derives JSON Schemas (of proto JSON) and the table of RPCs from a `buf build` image. */

export interface FieldDescriptor {
  readonly name: string;
  readonly jsonName: string;
  readonly type: string;
  readonly label: string;
  readonly typeName?: string;
  /** Index into the message's `oneofDecl`. */
  readonly oneofIndex?: number;
  /** Set for `optional`, which the descriptors write as a oneof of one. */
  readonly proto3Optional?: boolean;
}

export interface MessageDescriptor {
  readonly name: string;
  readonly field?: readonly FieldDescriptor[];
  readonly nestedType?: readonly MessageDescriptor[];
  readonly oneofDecl?: readonly { readonly name: string }[];
  readonly options?: Record<string, unknown>;
}

export interface FileDescriptor {
  readonly name: string;
  readonly package: string;
  readonly messageType?: readonly MessageDescriptor[];
  readonly enumType?: readonly { name: string; value: readonly { name: string }[] }[];
  readonly service?: readonly {
    name: string;
    method: readonly { name: string; inputType: string; outputType: string }[];
  }[];
  readonly sourceCodeInfo?: {
    readonly location: readonly { path?: readonly number[]; leadingComments?: string }[];
  };
}

export type JsonSchema = Record<string, unknown>;

const messageTag = 4;
const enumTag = 5;
const fieldTag = 2;

const scalars: Record<string, JsonSchema> = {
  TYPE_STRING: { type: 'string' },
  TYPE_BOOL: { type: 'boolean' },
  TYPE_DOUBLE: { type: 'number' },
  TYPE_FLOAT: { type: 'number' },
  TYPE_INT32: { type: 'integer' },
  TYPE_UINT32: { type: 'integer' },
  TYPE_INT64: { type: 'integer' },
  TYPE_UINT64: { type: 'integer' },
  TYPE_BYTES: { type: 'string', contentEncoding: 'base64' },
};

const wellKnown: Record<string, JsonSchema> = {
  '.google.protobuf.Timestamp': { type: 'string', format: 'date-time' },
  '.google.protobuf.Struct': { type: 'object' },
  '.google.protobuf.Value': {},
};

/** Schemas by full message name, without the leading dot; `refTo` writes a reference in the caller's document. */
export const jsonSchemas = (
  files: readonly FileDescriptor[],
  refTo: (fullName: string) => string,
): Record<string, JsonSchema> => {
  const enums = new Map(
    files.flatMap((file) =>
      (file.enumType ?? []).map((item) => [
        `.${file.package}.${item.name}`,
        item.value.map((value) => value.name),
      ]),
    ),
  );
  const mapEntries = new Map(
    files.flatMap((file) =>
      (file.messageType ?? []).flatMap((message) =>
        (message.nestedType ?? []).map((nested) => [
          `.${file.package}.${message.name}.${nested.name}`,
          nested,
        ]),
      ),
    ),
  );
  const typeOf = (field: FieldDescriptor): JsonSchema => {
    const name = field.typeName ?? '';
    const known = wellKnown[name];
    if (known !== undefined) return known;
    if (field.type === 'TYPE_ENUM') return { type: 'string', enum: enums.get(name) ?? [] };
    if (field.type === 'TYPE_MESSAGE') return { $ref: refTo(name.slice(1)) };
    return scalars[field.type] ?? {};
  };
  const schemaOf = (field: FieldDescriptor): JsonSchema => {
    if (field.label !== 'LABEL_REPEATED') return typeOf(field);
    const entry = mapEntries.get(field.typeName ?? '');
    const value = entry?.field?.find((item) => item.name === 'value');
    return value === undefined
      ? { type: 'array', items: typeOf(field) }
      : { type: 'object', additionalProperties: typeOf(value) };
  };
  return Object.fromEntries(
    files.flatMap((file) => {
      const comments = commentsOf(file);
      return (file.messageType ?? []).map((message, index) => {
        const properties = (message.field ?? []).map((field, position) => [
          field.jsonName,
          withDescription(schemaOf(field), comments.get([messageTag, index, fieldTag, position].join())),
        ]);
        const schema = withDescription(
          { type: 'object', properties: Object.fromEntries(properties) },
          comments.get([messageTag, index].join()),
        );
        return [`${file.package}.${message.name}`, schema];
      });
    }),
  );
};

const commentsOf = (file: FileDescriptor): Map<string, string> =>
  new Map(
    (file.sourceCodeInfo?.location ?? []).flatMap(({ path, leadingComments }) =>
      path === undefined || leadingComments === undefined || path[0] === enumTag
        ? []
        : [[path.join(), leadingComments.trim().replaceAll(/\s*\n\s*/g, ' ')]],
    ),
  );

const withDescription = (schema: JsonSchema, description: string | undefined): JsonSchema =>
  description === undefined ? schema : { ...schema, description };
