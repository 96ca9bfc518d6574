/** Unit: bytes. The largest message that the bus may carry. */
export const maxPayloadBytes = 8 * 1024 * 1024;

/** This server's place in a cluster; all servers of it name the same cluster and routes. */
export interface ClusterOptions {
  readonly name: string;
  /** Where the other servers reach this one. */
  readonly port: number;
  /** `nats://127.0.0.1:6222` of every server of the cluster, this one included. */
  readonly routes: readonly string[];
}

/** Files (PEM) that the server proves itself with. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
  /** Authorities of the clients' certificates. Given, every client must show one. */
  readonly ca?: string;
}

export interface ServerConfigInput {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly storeDir: string;
  readonly syncInterval: string;
  readonly maxStoreBytes: number | undefined;
  readonly serverName: string | undefined;
  readonly cluster: ClusterOptions | undefined;
  readonly tls: ServerTls | undefined;
  /** Settings of the server that say who may connect and do what, such as `accounts`. */
  readonly authorization: Readonly<Record<string, unknown>> | undefined;
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
      ...(input.serverName === undefined ? {} : { server_name: input.serverName }),
      ...(input.cluster === undefined ? {} : { cluster: clusterConfig(input.cluster, input.host) }),
      ...(input.tls === undefined ? {} : { tls: tlsConfig(input.tls) }),
      ...input.authorization,
      jetstream: {
        store_dir: `${input.storeDir}/jetstream`,
        sync_interval: input.syncInterval,
        ...(input.maxStoreBytes === undefined ? {} : { max_file_store: input.maxStoreBytes }),
      },
    },
    null,
    2,
  );

const clusterConfig = ({ name, port, routes }: ClusterOptions, host: string) => ({
  name,
  listen: `${host}:${port}`,
  routes,
});

const tlsConfig = ({ cert, key, ca }: ServerTls) => ({
  cert_file: cert,
  key_file: key,
  ...(ca === undefined ? {} : { ca_file: ca, verify: true }),
});
