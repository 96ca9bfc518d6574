export { type Broker, ensureBroker } from './ensure-broker.ts';
export { cacheDirectory, type InstallOptions, installNatsServer } from './install.ts';
export { type LocatedServer, locateNatsServer } from './locate.ts';
export type { InstallProgress, OnProgress } from './progress.ts';
export { type NatsServer, type NatsServerOptions, type ServerExit, startNatsServer } from './server.ts';
export { maxPayloadBytes } from './server-config.ts';
export { type TestBroker, testBroker } from './test-broker.ts';
export { minimumVersion, pinnedVersion } from './version.ts';
