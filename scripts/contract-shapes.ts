/** Derives from a `buf build` image what `libs/contracts/src/proto-json.ts` checks received JSON against. */
import type { FieldShape, Shapes, ValueType } from '../libs/contracts/src/proto-json.ts';
import type { FieldDescriptor, FileDescriptor, MessageDescriptor } from './contract-schemas.ts';

const wellKnown: Readonly<Record<string, ValueType>> = {
  '.google.protobuf.Timestamp': 'timestamp',
  '.google.protobuf.Struct': 'struct',
  '.google.protobuf.Value': 'value',
};

/** Throws on a type whose JSON form is not known here, naming it. */
export const messageShapes = (files: readonly FileDescriptor[]): Shapes => ({
  messages: Object.fromEntries(
    files.flatMap((file) =>
      (file.messageType ?? []).map((message) => [
        `${file.package}.${message.name}`,
        fieldsOf(message, `.${file.package}.${message.name}`),
      ]),
    ),
  ),
  enums: Object.fromEntries(
    files.flatMap((file) =>
      (file.enumType ?? []).map(({ name, value }) => [
        `${file.package}.${name}`,
        value.map((item) => item.name),
      ]),
    ),
  ),
});

const fieldsOf = (message: MessageDescriptor, fullName: string): Readonly<Record<string, FieldShape>> => {
  const entries = new Map((message.nestedType ?? []).map((nested) => [`${fullName}.${nested.name}`, nested]));
  const shapeOf = (field: FieldDescriptor): FieldShape => {
    const entry = entries.get(field.typeName ?? '');
    const [key, value] = entry?.field ?? [];
    if (key !== undefined && value !== undefined) {
      return { ...valueShape(value), many: 'map', key: valueShape(key).type };
    }
    return {
      ...valueShape(field),
      ...(field.label === 'LABEL_REPEATED' ? { many: 'list' } : {}),
      ...oneofOf(field, message),
    };
  };
  return Object.fromEntries(
    (message.field ?? []).map((field) => [
      field.jsonName,
      { ...shapeOf(field), ...(field.name === field.jsonName ? {} : { protoName: field.name }) },
    ]),
  );
};

const oneofOf = (field: FieldDescriptor, message: MessageDescriptor): { readonly oneof?: string } => {
  if (field.oneofIndex === undefined || field.proto3Optional === true) return {};
  return { oneof: message.oneofDecl?.[field.oneofIndex]?.name ?? String(field.oneofIndex) };
};

const valueShape = ({ type, typeName = '' }: FieldDescriptor): FieldShape => {
  const known = wellKnown[typeName];
  if (known !== undefined) return { type: known };
  if (typeName.startsWith('.google.protobuf.')) {
    throw new Error(
      `the JSON form of ${typeName.slice(1)} is not known: add it to libs/contracts/src/proto-json.ts`,
    );
  }
  const name = type.replace(/^TYPE_/, '').toLowerCase() as ValueType;
  return typeName === '' ? { type: name } : { type: name, of: typeName.slice(1) };
};
