export { pageQuery, requireMessage, requireName, requireText } from './checks.ts';
export { eventMessage } from './event-message.ts';
export { PeerChannel } from './grpc-client.ts';
export { type RpcBinding, rpc } from './grpc-server.ts';
export { HttpPeer, type HttpPeerOptions, type HttpPeerPlace } from './http-peer.ts';
export { newId } from './ids.ts';
export type { PassedHeaders } from './local-listener.ts';
export { readNatsSettings } from './nats-settings.ts';
export { openProject, type ProjectFile, ProjectFiles } from './project-files.ts';
export {
  isPythonRecipe,
  layOutProject,
  type PythonRecipe,
  pythonEnvironmentSpec,
  pythonRecipe,
} from './python-step.ts';
export { rpcCallers } from './rpc-callers.ts';
export type { CallContext, CallOptions, RpcClient, RpcHandlers } from './rpc-types.ts';
export { runService } from './run-service.ts';
export { certificatesOf, diskOf, openFiles, selfReport } from './self-report.ts';
export {
  type Neighbours,
  type RunningService,
  type Runtime,
  type ServiceModule,
  type ServiceParts,
  startService,
} from './service.ts';
export {
  type AddressBook,
  addressesFromEnv,
  type Env,
  readEnv,
  readSettings,
  readStoreAccess,
  type ServiceName,
  type Settings,
  serviceNames,
} from './settings.ts';
export {
  type CardArtifact,
  lineageSection,
  putCard,
  runCommands,
  type StepCardOptions,
  stepCard,
  withCard,
} from './step-card.ts';
export {
  isWorkerStopping,
  type StepContext,
  StepFailed,
  type StepHandler,
  type StepResult,
} from './step-worker.ts';
export { inventoried } from './storage/collection-inventory.ts';
export { type Mentions, mentionsIn } from './storage/mentions.ts';
export { type Ended, type Retention, retention, type StorageParts, timeOfId } from './storage/retention.ts';
export { storageRpc } from './storage/storage-rpc.ts';
export { whenClosed } from './when-closed.ts';
export { makeWorkDirectory, removeStaleDirectories, type WorkDirectory } from './work-directory.ts';
