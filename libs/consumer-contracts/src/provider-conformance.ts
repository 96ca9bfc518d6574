import { afterAll, describe, expect, it } from 'vitest';
import { readContracts } from './read-contracts.ts';
import { type Call, type Known, unmetRpc } from './verify.ts';

/** A provider in a state that a contract names. */
export interface ProviderState {
  readonly call: Call;
  /** Ids that requests name by placeholders. */
  readonly known?: Known;
}

export interface ProviderOptions {
  readonly provider: string;
  /** How to get a provider, as it really runs, into each state that consumers ask for. */
  readonly states: Readonly<Record<string, () => Promise<ProviderState>>>;
  readonly close: () => Promise<void>;
}

/**
 * For a provider's own tests: holds its real answers against what every consumer reads of them, so that its team sees
 * whom a change breaks before it is merged.
 */
export const providerSuite = ({ provider, states, close }: ProviderOptions): void => {
  describe.each(readContracts(provider).filter(({ rpcs }) => rpcs.length > 0))(
    `${provider} keeps what it promised to $consumer`,
    ({ rpcs }) => {
      it.each(rpcs)('$rpc answers $purpose, given $given', async (expected) => {
        const enter = states[expected.given];
        if (enter === undefined)
          throw new Error(`no test of ${provider} knows the state "${expected.given}"`);
        const { call, known } = await enter();
        expect(await unmetRpc(expected, call, known)).toEqual([]);
      });
    },
  );
  afterAll(close);
};
