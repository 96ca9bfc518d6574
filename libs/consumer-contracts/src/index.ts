export { brokenPromises } from './broken-promises.ts';
export type { ConsumerContract, EventExpectation, RpcExpectation } from './contract.ts';
export { unmetReads } from './held-values.ts';
export { readContracts } from './read-contracts.ts';
export { type EventOnBus, unmetEvents, unmetRpc } from './verify.ts';
