import { readContracts } from '@millrace/consumer-contracts';
import { rpcCallers } from '@millrace/service-kit';
import { expect, test } from 'vitest';

const contracts = readContracts();

/** Asked of every service alike, and answered by the service kit, not by the service. */
const ofTheKit = 'storage';

test('whoever may call a method says in a contract what it needs of the answer', () => {
  const calls = rpcCallers.flatMap(({ provider, rpc, callers }) =>
    // The gateway hands answers on to users as they are.
    callers
      .filter((caller) => caller !== 'gateway' && provider !== ofTheKit)
      .map((consumer) => `${consumer} calls ${provider}.${rpc}`),
  );
  const promised = contracts.flatMap(({ consumer, provider, rpcs }) =>
    rpcs.map(({ rpc }) => `${consumer} calls ${provider}.${rpc}`),
  );
  expect(calls.filter((call) => !promised.includes(call))).toEqual([]);
});

test('whoever has a contract about a method may call it', () => {
  const refused = contracts.flatMap(({ consumer, provider, rpcs }) =>
    rpcs.filter(
      ({ rpc }) =>
        !rpcCallers.some(
          (method) =>
            method.provider === provider &&
            method.rpc === rpc &&
            (method.callers as readonly string[]).includes(consumer),
        ),
    ),
  );
  expect(refused).toEqual([]);
});
