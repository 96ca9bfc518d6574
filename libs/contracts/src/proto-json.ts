/**
 * Whether JSON is the canonical proto JSON of a message. What `ts-proto` generates reads leniently: it makes a number of a
 * text and an unknown enum value of anything. This says what does not fit, and where.
 */

/** The type of a value: a scalar of proto, by its name there, or what its JSON looks like. */
export type ValueType = NumberType | 'string' | 'bool' | 'bytes' | 'enum' | 'message' | WellKnownType;

export type NumberType = keyof typeof integerRanges | 'double' | 'float';

/** Messages with a JSON form of their own. */
export type WellKnownType = 'timestamp' | 'struct' | 'value';

/** A field as the descriptors define it. */
export interface FieldShape {
  readonly type: ValueType;
  /** Full name of the message or the enum. */
  readonly of?: string;
  readonly many?: 'list' | 'map';
  /** Type of a map's keys. */
  readonly key?: ValueType;
  /** Of the members of one, a message has at most one. */
  readonly oneof?: string;
  /** The field's name in the `.proto`, where it differs: parsers accept it too. */
  readonly protoName?: string;
}

/** What the descriptors say of all messages; `src/generated/shapes.json`. */
export interface Shapes {
  /** Fields by JSON name, by full message name. */
  readonly messages: Readonly<Record<string, Readonly<Record<string, FieldShape>>>>;
  /** Names of the values, by full enum name. */
  readonly enums: Readonly<Record<string, readonly string[]>>;
}

/** The first thing in a JSON that does not fit. */
export interface Misfit {
  /** `modelVersion.metrics.rmse`; empty for the whole. */
  readonly path: string;
  /** `must be a whole number, not text` */
  readonly message: string;
}

/** Answers what does not fit; `undefined` when all does. */
export type JsonCheck = (json: unknown) => Misfit | undefined;

/**
 * The check of a message. It accepts all that canonical proto JSON allows: numbers as text, enum values as numbers, names as
 * in the `.proto`, `null` for a field that is absent, and fields that this version does not know. Of 64-bit numbers it
 * accepts those that a JS number holds. Throws on a message that the shapes do not have.
 */
export const jsonCheck = (shapes: Shapes, message: string): JsonCheck => new Checks(shapes).of(message);

const integerRanges = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  sint32: [-(2 ** 31), 2 ** 31 - 1],
  sfixed32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  fixed32: [0, 2 ** 32 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  sint64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  sfixed64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint64: [0, Number.MAX_SAFE_INTEGER],
  fixed64: [0, Number.MAX_SAFE_INTEGER],
} as const satisfies Record<string, readonly [number, number]>;

/** Beyond it, rounding to 32 bits gives infinity. */
const largestFloat = 3.4028235677973366e38;

const decimal = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;
const base64 = /^[A-Za-z0-9+/_-]*={0,2}$/;
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

const misfit = (message: string): Misfit => ({ path: '', message });

const wrongType = (wanted: string, value: unknown): Misfit =>
  misfit(`must be ${wanted}, not ${describe(value)}`);

const describe = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  // Texts are not repeated: they may be secrets.
  return typeof value === 'string' ? 'text' : String(value);
};

const within = (step: string, inner: Misfit): Misfit => ({
  path: inner.path === '' || inner.path.startsWith('[') ? step + inner.path : `${step}.${inner.path}`,
  message: inner.message,
});

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The number that a JSON number or a text means; `undefined` for anything else. */
const numberOf = (value: unknown): number | undefined => {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && decimal.test(value) ? Number(value) : undefined;
};

const integerCheck = ([least, most]: readonly [number, number]): JsonCheck => {
  const outside = `must be from ${least} to ${most}`;
  return (value) => {
    const number = numberOf(value);
    if (number === undefined) return wrongType('a whole number', value);
    if (!Number.isInteger(number)) return misfit(`must be a whole number, not ${number}`);
    return number < least || number > most ? misfit(outside) : undefined;
  };
};

const notFinite: ReadonlySet<unknown> = new Set(['NaN', 'Infinity', '-Infinity']);

const floatCheck =
  (largest: number): JsonCheck =>
  (value) => {
    if (notFinite.has(value)) return undefined;
    const number = numberOf(value);
    if (number === undefined) return wrongType('a number', value);
    return Math.abs(number) > largest ? misfit('is out of range') : undefined;
  };

const textCheck =
  (fits: (text: string) => boolean, otherwise: string): JsonCheck =>
  (value) => {
    if (typeof value !== 'string') return wrongType('text', value);
    return fits(value) ? undefined : misfit(otherwise);
  };

const simpleChecks: Partial<Record<ValueType, JsonCheck>> = {
  ...Object.fromEntries(Object.entries(integerRanges).map(([type, range]) => [type, integerCheck(range)])),
  double: floatCheck(Number.MAX_VALUE),
  float: floatCheck(largestFloat),
  string: textCheck((text) => text.isWellFormed(), 'holds an unpaired surrogate'),
  bytes: textCheck((text) => base64.test(text), 'is not base64'),
  timestamp: textCheck(
    (text) => timestamp.test(text) && !Number.isNaN(Date.parse(text)),
    'is no time like 2026-01-31T23:59:59Z',
  ),
  bool: (value) => (typeof value === 'boolean' ? undefined : wrongType('true or false', value)),
  struct: (value) => (isObject(value) ? undefined : wrongType('an object', value)),
  value: () => undefined,
};

const boolKey: JsonCheck = (key) =>
  key === 'true' || key === 'false' ? undefined : misfit('must be true or false');

const enumCheck = (names: readonly string[]): JsonCheck => {
  const known = new Set(names);
  // A number that this version does not know is kept as unknown, as in the binary form; a name has no such place.
  const number = integerCheck(integerRanges.int32);
  return (value) => {
    if (typeof value === 'number') return number(value);
    if (typeof value !== 'string') return wrongType('the name of a value', value);
    return known.has(value) ? undefined : misfit(`must be one of ${names.join(', ')}`);
  };
};

const listCheck =
  (item: JsonCheck): JsonCheck =>
  (value) => {
    if (!Array.isArray(value)) return wrongType('a list', value);
    for (let index = 0; index < value.length; index += 1) {
      const found = item(value[index]);
      if (found !== undefined) return within(`[${index}]`, found);
    }
    return undefined;
  };

const mapCheck =
  (key: JsonCheck, item: JsonCheck): JsonCheck =>
  (value) => {
    if (!isObject(value)) return wrongType('an object', value);
    for (const [name, entry] of Object.entries(value)) {
      const found = key(name) ?? item(entry);
      if (found !== undefined) return within(`["${name}"]`, found);
    }
    return undefined;
  };

/** A field of a message, ready to be checked. */
interface Member {
  readonly check: JsonCheck;
  readonly takesNull: boolean;
  readonly oneof: string | undefined;
}

/** Makes each message's check once; a message may hold itself. */
class Checks {
  readonly #shapes: Shapes;
  readonly #made = new Map<string, JsonCheck>();

  constructor(shapes: Shapes) {
    this.#shapes = shapes;
  }

  of(message: string): JsonCheck {
    const present = this.#made.get(message);
    if (present !== undefined) return present;
    const fields = this.#shapes.messages[message];
    if (fields === undefined) throw new Error(`the contracts have no message ${message}`);
    const members = new Map<string, Member>();
    const check = messageCheck(members);
    this.#made.set(message, check);
    for (const [jsonName, field] of Object.entries(fields)) {
      const member = { check: this.#field(field), takesNull: field.type === 'value', oneof: field.oneof };
      members.set(jsonName, member);
      if (field.protoName !== undefined) members.set(field.protoName, member);
    }
    return check;
  }

  #field(field: FieldShape): JsonCheck {
    const value = this.#value(field);
    if (field.many === 'list') return listCheck(value);
    if (field.many === 'map') return mapCheck(this.#key(field.key ?? 'string'), value);
    return value;
  }

  #key(type: ValueType): JsonCheck {
    return type === 'bool' ? boolKey : this.#value({ type });
  }

  #value({ type, of = '' }: FieldShape): JsonCheck {
    if (type === 'message') return this.of(of);
    if (type === 'enum') return enumCheck(this.#shapes.enums[of] ?? []);
    const check = simpleChecks[type];
    if (check === undefined) throw new Error(`the contracts have no type ${type}`);
    return check;
  }
}

const messageCheck =
  (members: ReadonlyMap<string, Member>): JsonCheck =>
  (value) => {
    if (!isObject(value)) return wrongType('an object', value);
    let chosen: Map<string, string> | undefined;
    for (const name of Object.keys(value)) {
      const member = members.get(name);
      const content = value[name];
      if (member === undefined || (content === null && !member.takesNull)) continue;
      const found = member.check(content);
      if (found !== undefined) return within(name, found);
      if (member.oneof === undefined) continue;
      chosen ??= new Map();
      const other = chosen.get(member.oneof);
      if (other !== undefined) return within(name, misfit(`cannot stand beside ${other}`));
      chosen.set(member.oneof, name);
    }
    return undefined;
  };
