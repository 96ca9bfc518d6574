import { type NatsServer, type NatsServerOptions, startNatsServer } from './server.ts';

export interface Broker {
  readonly url: string;
  /** Absent when `NATS_URL` named a server that somebody else runs. */
  readonly server?: NatsServer;
  /** Ends the server if it was started here. */
  stop(): Promise<void>;
}

/** The broker to use: the one that `NATS_URL` names (then nothing is started), else a server of our own. */
export const ensureBroker = async (options: NatsServerOptions): Promise<Broker> => {
  const url = (options.env ?? process.env).NATS_URL;
  if (url) return { url, stop: async () => {} };
  const server = await startNatsServer(options);
  return { url: server.url, server, stop: () => server.stop() };
};
