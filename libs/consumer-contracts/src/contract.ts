import { Invalid } from '@millrace/errors';
import { parse } from 'yaml';
import { z } from 'zod';

const scalar = z.union([z.string(), z.number(), z.boolean()]);
/** Path of a field, `[]` for each item of a list and `*` for each value of a map, and what it has to hold. */
const reads = z.record(
  z.string().regex(/^[\w*]+(\[\])?(\.[\w*]+(\[\])?)*$/, 'is no path of a field'),
  scalar,
);

const rpc = z.strictObject({
  /** As in the generated client: `getModelVersion`. */
  rpc: z.string().min(1),
  /** What the consumer wants it for. */
  purpose: z.string().min(1),
  /** The state of the provider in which the request is made; the provider's test knows how to get there. */
  given: z.string().min(1),
  request: z.record(z.string(), z.unknown()),
  reads: reads.default({}),
  /** Code of the error that has to come instead of an answer. */
  fails: z.string().optional(),
});

const event = z.strictObject({
  type: z.string().min(1),
  purpose: z.string().min(1),
  reads: reads.default({}),
});

const schema = z.strictObject({
  consumer: z.string().min(1),
  provider: z.string().min(1),
  rpcs: z.array(rpc).default([]),
  events: z.array(event).default([]),
});

/** What one service relies on of another: answers to its calls and payloads of events. */
export type ConsumerContract = z.infer<typeof schema>;
export type RpcExpectation = z.infer<typeof rpc>;
export type EventExpectation = z.infer<typeof event>;

/** Reads a contract from its YAML. @throws Invalid naming file and field */
export const parseContract = (text: string, file: string): ConsumerContract => {
  const result = schema.safeParse(parse(text));
  if (result.success) return result.data;
  const violations = result.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  throw new Invalid(`${file}: ${violations.map(({ path, message }) => `${path}: ${message}`).join('; ')}`, {
    violations,
  });
};
