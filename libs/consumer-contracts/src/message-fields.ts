import { allEvents } from '@millrace/contracts';
import document from '@millrace/contracts/schemas.json' with { type: 'json' };

interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
}

const schemas = document.schemas as Readonly<Record<string, Schema | undefined>>;
const rpcs = document.rpcs as Readonly<
  Record<string, { readonly request: string; readonly response: string } | undefined>
>;

/** Full names of the messages of an RPC, or `undefined` when the service has no such RPC. */
export const messagesOfRpc = (service: string, rpc: string) => rpcs[`${service}.${rpc}`];

const events = document.events as Readonly<Record<string, string | undefined>>;

/** Full name of an event's payload, or `undefined` when the service publishes no such event. */
export const messageOfEvent = (service: string, type: string): string | undefined =>
  allEvents.get(type)?.service === service ? events[type] : undefined;

const resolve = (schema: Schema | undefined): Schema | undefined => {
  const reference = schema?.$ref ?? schema?.allOf?.[0]?.$ref;
  return reference === undefined ? schema : schemas[reference.split('/').at(-1) ?? ''];
};

const step = (schema: Schema | undefined, part: string): Schema | undefined => {
  const isList = part.endsWith('[]');
  const name = isList ? part.slice(0, -2) : part;
  const { properties, additionalProperties } = resolve(schema) ?? {};
  const ofMap = typeof additionalProperties === 'object' ? additionalProperties : undefined;
  const found = properties?.[name] ?? ofMap;
  return isList ? resolve(found)?.items : found;
};

/** Whether a message has a field, by its JSON path: `modelVersion.approvals[].actor.name`. */
export const hasField = (message: string, path: string): boolean =>
  path.split('.').reduce<Schema | undefined>(step, schemas[message]) !== undefined;
