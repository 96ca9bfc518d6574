import type { ConsumerContract } from './contract.ts';
import { hasField, messageOfEvent, messagesOfRpc } from './message-fields.ts';

const missingFields = (message: string, paths: readonly string[]): readonly string[] =>
  paths.filter((path) => !hasField(message, path)).map((path) => `${message} has no field ${path}`);

const ofRpc = ({ provider, rpcs }: ConsumerContract): readonly string[] =>
  rpcs.flatMap(({ rpc, request, reads, purpose }) => {
    const messages = messagesOfRpc(provider, rpc);
    const problems =
      messages === undefined
        ? [`${provider} has no RPC ${rpc}`]
        : [
            ...missingFields(messages.request, Object.keys(request)),
            ...missingFields(messages.response, Object.keys(reads)),
          ];
    return problems.map((problem) => `${problem}, which is needed ${purpose}`);
  });

const ofEvents = ({ provider, events }: ConsumerContract): readonly string[] =>
  events.flatMap(({ type, reads, purpose }) => {
    const message = messageOfEvent(provider, type);
    const problems =
      message === undefined
        ? [`${provider} publishes no event ${type}`]
        : missingFields(message, Object.keys(reads));
    return problems.map((problem) => `${problem}, which is needed ${purpose}`);
  });

/**
 * What contracts rely on and the published messages do not have, each with whom it breaks. Nothing has to run for this:
 * a field that a provider's `.proto` lost is seen at once.
 */
export const brokenPromises = (contracts: readonly ConsumerContract[]): readonly string[] =>
  contracts.flatMap((contract) =>
    [...ofRpc(contract), ...ofEvents(contract)].map(
      (problem) => `${contract.provider} breaks ${contract.consumer}: ${problem}`,
    ),
  );
