/** Unit: bytes. The largest message that the bus may carry. */
export const maxPayloadBytes = 8 * 1024 * 1024;

export interface ServerConfigInput {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly storeDir: string;
  readonly syncInterval: string;
  readonly maxStoreBytes: number | undefined;
}

/** The configuration file's text. The server reads JSON as a subset of its own format. */
export const serverConfig = (input: ServerConfigInput): string =>
  JSON.stringify(
    {
      host: input.host,
      // The server's own convention: -1 is "any free port", 0 would mean 4222.
      port: input.port === 0 ? -1 : input.port,
      max_payload: maxPayloadBytes,
      pid_file: `${input.storeDir}/nats-server.pid`,
      ports_file_dir: input.storeDir,
      log_file: `${input.storeDir}/nats-server.log`,
      logfile_size_limit: 10 * 1024 * 1024,
      logfile_max_num: 3,
      jetstream: {
        store_dir: `${input.storeDir}/jetstream`,
        sync_interval: input.syncInterval,
        ...(input.maxStoreBytes === undefined ? {} : { max_file_store: input.maxStoreBytes }),
      },
    },
    null,
    2,
  );
