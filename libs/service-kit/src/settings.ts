import { join } from 'node:path';
import type { TlsFiles } from '@millrace/certificates';
import { Invalid } from '@millrace/errors';
import type { MongoAccess } from '@millrace/store';
import { z } from 'zod';

/** The services of Millrace, as addresses and stores are named after them. */
export const serviceNames = [
  'ingest',
  'training',
  'evaluation',
  'registry',
  'deployment',
  'monitoring',
  'pipeline',
  'bridge',
  'gateway',
] as const;
export type ServiceName = (typeof serviceNames)[number];

/** Default ports of the separate mode: gRPC, and HTTP at ten above. The gateway's HTTP port is 7700. */
const defaultPorts: Record<ServiceName, { readonly grpc: number; readonly http: number }> = {
  gateway: { grpc: 7799, http: 7700 },
  ingest: { grpc: 7701, http: 7711 },
  training: { grpc: 7702, http: 7712 },
  evaluation: { grpc: 7703, http: 7713 },
  registry: { grpc: 7704, http: 7714 },
  deployment: { grpc: 7705, http: 7715 },
  monitoring: { grpc: 7706, http: 7716 },
  pipeline: { grpc: 7707, http: 7717 },
  bridge: { grpc: 7708, http: 7718 },
};

export type Env = Readonly<Record<string, string | undefined>>;

const port = z.coerce.number().int().min(0).max(65_535);

/**
 * Settings that every service reads. Documented in `docs/configuration.md`; a new one needs a line there.
 */
const baseSchema = z.object({
  /** Address that listeners bind to. */
  MILLRACE_HOST: z.string().min(1).default('127.0.0.1'),
  /** 0 takes any free port. */
  MILLRACE_GRPC_PORT: port.optional(),
  MILLRACE_HTTP_PORT: port.optional(),
  /** Directory of the stores and blobs. */
  MILLRACE_DATA_DIR: z.string().min(1).default('.millrace'),
  /** Where the documents are kept; see `openStore`. By default a SQLite file in the service's own folder. */
  MILLRACE_STORE_URL: z
    .string()
    .regex(/^(sqlite:.|mongodb(\+srv)?:\/\/)/, 'must begin with sqlite:, mongodb:// or mongodb+srv://')
    .optional(),
  /** The service's own user of MongoDB. */
  MILLRACE_STORE_USER: z.string().min(1).optional(),
  MILLRACE_STORE_PASSWORD_FILE: z.string().min(1).optional(),
  /** Files by which MongoDB is checked, and by which it checks the service. */
  MILLRACE_STORE_TLS_CA: z.string().min(1).optional(),
  MILLRACE_STORE_TLS_CERT: z.string().min(1).optional(),
  MILLRACE_STORE_TLS_KEY: z.string().min(1).optional(),
  /** Where blobs are kept; see `openBlobStore`. By default `blobs` in the data directory. */
  MILLRACE_BLOBS_URL: z
    .string()
    .regex(/^(fs:.|s3:\/\/)/, 'must begin with fs: or s3://')
    .optional(),
  /** Bytes of copies that are kept on this machine of blobs in an object store. */
  MILLRACE_BLOBS_COPIES_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .default(4 * 1024 ** 3),
  NATS_URL: z.string().min(1).default('nats://127.0.0.1:4222'),
  /** Copies that the broker keeps of each stream. */
  MILLRACE_STREAM_REPLICAS: z.coerce
    .number()
    .int()
    .refine((n) => [1, 3, 5].includes(n), 'must be 1, 3 or 5')
    .default(1),
  /** Files of the certificates for mutual TLS between services; the first three together. */
  MILLRACE_TLS_CA: z.string().min(1).optional(),
  MILLRACE_TLS_CERT: z.string().min(1).optional(),
  MILLRACE_TLS_KEY: z.string().min(1).optional(),
  MILLRACE_TLS_CRL: z.string().min(1).optional(),
  /** `1` lets listeners be reached from other machines without TLS. */
  MILLRACE_INSECURE: z.enum(['0', '1']).default('0'),
  MILLRACE_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  /** Milliseconds until an idle worker's command is given to another. */
  MILLRACE_STEP_LEASE_MS: z.coerce.number().int().min(500).default(10_000),
  /** Milliseconds between two questions to the owners of events whether one never came. */
  MILLRACE_RECONCILE_MS: z.coerce.number().int().min(500).default(30_000),
});

export interface Settings {
  readonly service: ServiceName;
  readonly host: string;
  /** Where gRPC listens: as `host`, but the gateway's, which answers health checks only, needs TLS for that. */
  readonly grpcHost: string;
  readonly grpcPort: number;
  readonly httpPort: number;
  readonly dataDir: string;
  /** `sqlite:<path>`, or an address of MongoDB, where each service has a database of its own. */
  readonly storeUrl: string;
  /** User and TLS files for MongoDB. */
  readonly storeAccess: MongoAccess;
  /** `fs:<directory>`, or an address of S3. */
  readonly blobsUrl: string;
  readonly maxBlobCopyBytes: number;
  /** Certificates for mutual TLS between services; without them nothing is encrypted. */
  readonly tls: TlsFiles | undefined;
  /** Whether listeners may be reached from other machines without TLS. */
  readonly insecure: boolean;
  readonly natsUrl: string;
  /** Copies that the broker keeps of each stream: 1, or 3 or 5 in a cluster. */
  readonly streamReplicas: number;
  readonly logLevel: string;
  readonly stepLeaseMs: number;
  readonly reconcileMs: number;
  /** Where the other services are found: `host:port`. */
  readonly addresses: AddressBook;
}

/** Finds `host:port` of a service's listener; asked again at each connection, so that it may change. */
export type AddressBook = (service: ServiceName, listener: 'grpc' | 'http') => string;

/** Reads and checks variables against a schema, naming every wrong one at once. */
export const readEnv = <T extends z.ZodType>(schema: T, env: Env): z.infer<T> => {
  const present = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const result = schema.safeParse(present);
  if (result.success) return result.data;
  const violations = result.error.issues.map((issue) => ({
    path: issue.path.join('.'),
    message: issue.message,
  }));
  throw new Invalid(
    `wrong environment: ${violations.map(({ path, message }) => `${path}: ${message}`).join('; ')}`,
    { violations, hint: 'See docs/configuration.md for every variable and its default.' },
  );
};

/** Addresses from `MILLRACE_<SERVICE>_GRPC` and `MILLRACE_<SERVICE>_HTTP`, else this host's default ports. */
export const addressesFromEnv =
  (env: Env): AddressBook =>
  (service, listener) =>
    env[`MILLRACE_${service.toUpperCase()}_${listener.toUpperCase()}`] ??
    `127.0.0.1:${defaultPorts[service][listener]}`;

type Base = z.infer<typeof baseSchema>;

/** Throws `Invalid`, naming what is missing, unless all of these are set or none. */
const requireTogether = (values: Readonly<Record<string, string | undefined>>): void => {
  const present = Object.entries(values).filter(([, value]) => value !== undefined);
  if (present.length === 0 || present.length === Object.keys(values).length) return;
  const names = Object.keys(values);
  const missing = names
    .filter((name) => values[name] === undefined)
    .map((path) => ({ path, message: `is needed with ${present.map(([name]) => name).join(' and ')}` }));
  throw new Invalid(
    `wrong environment: ${missing.map(({ path, message }) => `${path}: ${message}`).join('; ')}`,
    { violations: missing, hint: `Set ${names.join(', ')}, or none of them.` },
  );
};

const tlsFilesOf = (base: Base): TlsFiles | undefined => {
  const { MILLRACE_TLS_CA, MILLRACE_TLS_CERT, MILLRACE_TLS_KEY, MILLRACE_TLS_CRL: crl } = base;
  requireTogether({ MILLRACE_TLS_CA, MILLRACE_TLS_CERT, MILLRACE_TLS_KEY });
  if (MILLRACE_TLS_CA === undefined) return undefined;
  return {
    ca: MILLRACE_TLS_CA,
    certificate: MILLRACE_TLS_CERT,
    key: MILLRACE_TLS_KEY,
    ...(crl === undefined ? {} : { crl }),
  };
};

const storeAccessOf = (base: Base): MongoAccess => {
  const { MILLRACE_STORE_USER, MILLRACE_STORE_PASSWORD_FILE, MILLRACE_STORE_TLS_CA: ca } = base;
  const { MILLRACE_STORE_TLS_CERT, MILLRACE_STORE_TLS_KEY } = base;
  requireTogether({ MILLRACE_STORE_USER, MILLRACE_STORE_PASSWORD_FILE });
  requireTogether({ MILLRACE_STORE_TLS_CERT, MILLRACE_STORE_TLS_KEY });
  if (ca === undefined && MILLRACE_STORE_TLS_CERT !== undefined) {
    throw Invalid.field('MILLRACE_STORE_TLS_CA', 'is needed with MILLRACE_STORE_TLS_CERT');
  }
  return {
    ...(MILLRACE_STORE_USER === undefined
      ? {}
      : { user: { name: MILLRACE_STORE_USER, passwordFile: MILLRACE_STORE_PASSWORD_FILE ?? '' } }),
    ...(ca === undefined
      ? {}
      : { tls: { ca, certificate: MILLRACE_STORE_TLS_CERT, key: MILLRACE_STORE_TLS_KEY } }),
  };
};

/** Who reaches the stores in MongoDB, and how, by the variables that services read. */
export const readStoreAccess = (env: Env): MongoAccess => storeAccessOf(readEnv(baseSchema, env));

/** Resolves the settings of one service. */
export const readSettings = (service: ServiceName, env: Env, addresses = addressesFromEnv(env)): Settings => {
  const base = readEnv(baseSchema, env);
  const tls = tlsFilesOf(base);
  const insecure = base.MILLRACE_INSECURE === '1';
  return {
    service,
    host: base.MILLRACE_HOST,
    grpcHost: service === 'gateway' && tls === undefined && !insecure ? '127.0.0.1' : base.MILLRACE_HOST,
    grpcPort: base.MILLRACE_GRPC_PORT ?? defaultPorts[service].grpc,
    httpPort: base.MILLRACE_HTTP_PORT ?? defaultPorts[service].http,
    dataDir: base.MILLRACE_DATA_DIR,
    storeAccess: storeAccessOf(base),
    storeUrl: base.MILLRACE_STORE_URL ?? `sqlite:${join(base.MILLRACE_DATA_DIR, service, 'store.sqlite')}`,
    blobsUrl: base.MILLRACE_BLOBS_URL ?? `fs:${join(base.MILLRACE_DATA_DIR, 'blobs')}`,
    maxBlobCopyBytes: base.MILLRACE_BLOBS_COPIES_BYTES,
    tls,
    insecure,
    natsUrl: base.NATS_URL,
    streamReplicas: base.MILLRACE_STREAM_REPLICAS,
    logLevel: base.MILLRACE_LOG_LEVEL,
    stepLeaseMs: base.MILLRACE_STEP_LEASE_MS,
    reconcileMs: base.MILLRACE_RECONCILE_MS,
    addresses,
  };
};
