/** Reads and writes one message type; what `ts-proto` generates for every message. */
export interface MessageCodec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
  fromJSON(json: unknown): T;
  toJSON(message: T): unknown;
}

/**
 * A published event type. All fields but the codec derive from the `event_type` option in the `.proto`:
 * `millrace.registry.model_version.registered.v1`.
 */
export interface EventDefinition<T> {
  /** CloudEvents `type`. */
  readonly type: string;
  /** NATS subject: the type with `millrace.evt.` in place of the leading `millrace.`. */
  readonly subject: string;
  /** The service that owns and publishes it. */
  readonly service: string;
  /** The kind of entity that it is about (`model_version`). */
  readonly entity: string;
  /** Proto JSON and binary codec of the payload. */
  readonly codec: MessageCodec<T>;
}

const grammar = /^millrace\.([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)\.v([1-9][0-9]*)$/;

/** Builds the definition from the type string; throws on a string outside the grammar, naming it. */
export const defineEvent = <T>(type: string, codec: MessageCodec<T>): EventDefinition<T> => {
  const match = grammar.exec(type);
  if (match === null) {
    throw new Error(`event type "${type}" is not millrace.<service>.<entity>.<verb>.v<N> in lower case`);
  }
  return {
    type,
    subject: type.replace(/^millrace\./, 'millrace.evt.'),
    service: match[1]!,
    entity: match[2]!,
    codec,
  };
};

/** Identity of an entity across services: `registry.model_version/flights/3`. Sequences count per entity. */
export const entityId = (definition: { service: string; entity: string }, key: string): string =>
  `${definition.service}.${definition.entity}/${key}`;
