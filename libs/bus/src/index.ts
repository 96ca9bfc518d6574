export { type DeclaredConsumer, declaredConsumers, eventLeaseMs } from './access/declared-consumers.ts';
export { nkeyFileOf, nkeyFiles } from './access/nkey-files.ts';
export { observer } from './access/rights.ts';
export { type BusLogin, busLogins, type Proof, serverAccounts } from './access/server-accounts.ts';
export { type BusUser, busUsers } from './access/service-needs.ts';
export type {
  Bus,
  BusStatus,
  DrainOptions,
  LiveMessage,
  PublishOptions,
  RequestOptions,
} from './bus.ts';
export { type BusOptions, connectBus } from './connect.ts';
export { type ConsumerProblem, stuckAfterMs } from './consumer-health.ts';
export type { BusCredentials, BusTls } from './credentials.ts';
export { copyDeadLetters, type DeadLetterCopy, restoreDeadLetters } from './dead-letter-copies.ts';
export {
  type DeadLetterQuery,
  listDeadLetters,
  replayDeadLetter,
  showDeadLetter,
} from './dead-letters.ts';
export { consumeEvents, forwardEvents } from './event-consumer.ts';
export { type EventLag, eventLag } from './event-lag.ts';
export type { EventReaderOptions, TailedEvent } from './event-reader.ts';
export {
  type BusReport,
  type ConsumerReport,
  type InspectOptions,
  inspectBus,
  type StreamReport,
} from './inspect.ts';
export { type KeeperOptions, startKeeper } from './keeper.ts';
export { type BusLogger, silentLogger } from './logger.ts';
export type { OutboxPort, StoredMessage } from './outbox-port.ts';
export {
  type DeadLetter,
  type Event,
  type EventConsumerOptions,
  type EventContext,
  type EventHandler,
  type ForwardingOptions,
  type HandledPosition,
  type InboxPort,
  type Outcome,
  type RawEvent,
  type RecordConsumerOptions,
  type Running,
  type StreamRecord,
  type Subscription,
  subscription,
  type WorkContext,
  type WorkerOptions,
} from './port.ts';
export { type RepublishOptions, rebuildIfLost, republishSince } from './rebuild.ts';
export { type ServeRefillOptions, serveRefill } from './refill.ts';
export { type RelayOptions, startRelay } from './relay.ts';
export { type EventToShow, type StructuredEvent, structuredEvent } from './structured-event.ts';
export { checkFilter, checkSubject, checkToken, subjects } from './subjects.ts';
export {
  defaultTopology,
  type StreamLimits,
  type StreamName,
  streams,
  type TopologySettings,
} from './topology.ts';
export { consumeRecords, work } from './worker.ts';
