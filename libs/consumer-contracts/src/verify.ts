import { asMillraceError } from '@millrace/errors';
import type { ConsumerContract, EventExpectation, RpcExpectation } from './contract.ts';
import { unmetReads } from './held-values.ts';

/** Makes a call of the provider that is under test and answers with the response as JSON. */
export type Call = (rpc: string, request: Readonly<Record<string, unknown>>) => Promise<unknown>;

/** Ids that a state has given to what it made, by the names that stand for them in requests: `<run>`. */
export type Known = Readonly<Record<string, string>>;

const withKnown = (request: RpcExpectation['request'], known: Known): RpcExpectation['request'] =>
  Object.fromEntries(Object.entries(request).map(([field, value]) => [field, known[String(value)] ?? value]));

/** Makes the call that a consumer makes; returns how the answer falls short of what the consumer reads. */
export const unmetRpc = async (
  { rpc, request, reads, fails }: RpcExpectation,
  call: Call,
  known: Known = {},
): Promise<readonly string[]> => {
  try {
    const answer = await call(rpc, withKnown(request, known));
    return fails === undefined ? unmetReads(answer, reads) : [`it answers, expected the error ${fails}`];
  } catch (thrown) {
    const { code, message } = asMillraceError(thrown);
    return code === fails ? [] : [`it fails with ${code}: ${message}`];
  }
};

/** An event as it went over the bus. */
export interface EventOnBus {
  readonly type: string;
  readonly data: unknown;
}

const unmetEvent = (
  { type, reads }: EventExpectation,
  published: readonly EventOnBus[],
): readonly string[] => {
  const ofType = published.filter((event) => event.type === type);
  return [...new Set(ofType.flatMap(({ data }) => unmetReads(data, reads)))].map(
    (problem) => `${type}: ${problem}`,
  );
};

/** How published events fall short of what a consumer reads of them. */
export const unmetEvents = (
  { events }: ConsumerContract,
  published: readonly EventOnBus[],
): readonly string[] => events.flatMap((expected) => unmetEvent(expected, published));
