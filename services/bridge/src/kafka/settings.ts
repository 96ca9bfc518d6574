import { readFile } from 'node:fs/promises';
import { Invalid, messageOf } from '@millrace/errors';
import { type Env, readEnv } from '@millrace/service-kit';
import type { SASLOptions } from 'kafkajs';
import { z } from 'zod';

const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;

const schema = z.object({
  /** Addresses separated by commas; without them nothing goes to Kafka. */
  MILLRACE_KAFKA_BROKERS: z.string().optional(),
  /** Topics are `<prefix>.<service>`. */
  MILLRACE_KAFKA_TOPIC_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,200}$/, 'must be letters, digits, ".", "_" and "-"')
    .default('millrace.events'),
  /** Partitions of a topic that the bridge makes. */
  MILLRACE_KAFKA_PARTITIONS: z.coerce.number().int().min(1).max(1000).default(6),
  /** Copies of a topic that the bridge makes; -1 leaves it to the brokers. */
  MILLRACE_KAFKA_REPLICATION: z.coerce.number().int().min(-1).max(15).default(-1),
  MILLRACE_KAFKA_TLS: z.enum(['true', 'false']).default('false'),
  /** Files in PEM. */
  MILLRACE_KAFKA_TLS_CA: z.string().optional(),
  MILLRACE_KAFKA_TLS_CERT: z.string().optional(),
  MILLRACE_KAFKA_TLS_KEY: z.string().optional(),
  MILLRACE_KAFKA_SASL_MECHANISM: z.enum(mechanisms).optional(),
  MILLRACE_KAFKA_SASL_USERNAME: z.string().optional(),
  MILLRACE_KAFKA_SASL_PASSWORD: z.string().optional(),
  /** Milliseconds without a sign of life after which another bridge takes over. */
  MILLRACE_KAFKA_LEASE_MS: z.coerce.number().int().min(500).default(5_000),
});

export interface KafkaSettings {
  /** `host:port` */
  readonly brokers: readonly string[];
  readonly topicPrefix: string;
  readonly partitions: number;
  /** -1: the brokers' default. */
  readonly replication: number;
  /** PEM texts; absent: no TLS. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly sasl?: SASLOptions;
  readonly leaseMs: number;
}

/** What `MILLRACE_KAFKA_*` say; `undefined` without brokers. Throws `Invalid` naming what is wrong. */
export const readKafkaSettings = async (env: Env): Promise<KafkaSettings | undefined> => {
  const read = readEnv(schema, env);
  if (read.MILLRACE_KAFKA_BROKERS === undefined) return undefined;
  const brokers = read.MILLRACE_KAFKA_BROKERS.split(',').map((broker) => broker.trim());
  const wrong = brokers.find((broker) => !/^[^\s:/]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/.test(broker));
  if (wrong !== undefined) {
    throw Invalid.field('MILLRACE_KAFKA_BROKERS', `"${wrong}" is not host:port`);
  }
  const sasl = saslOf(read);
  return {
    brokers,
    topicPrefix: read.MILLRACE_KAFKA_TOPIC_PREFIX,
    partitions: read.MILLRACE_KAFKA_PARTITIONS,
    replication: read.MILLRACE_KAFKA_REPLICATION,
    leaseMs: read.MILLRACE_KAFKA_LEASE_MS,
    ...(read.MILLRACE_KAFKA_TLS === 'true' ? { tls: await tlsOf(read) } : {}),
    ...(sasl === undefined ? {} : { sasl }),
  };
};

type Read = z.infer<typeof schema>;

const tlsOf = async (read: Read): Promise<NonNullable<KafkaSettings['tls']>> => {
  const files = {
    ca: 'MILLRACE_KAFKA_TLS_CA',
    cert: 'MILLRACE_KAFKA_TLS_CERT',
    key: 'MILLRACE_KAFKA_TLS_KEY',
  } as const;
  const texts = await Promise.all(
    Object.entries(files).map(async ([name, variable]) => {
      const file = read[variable];
      if (file === undefined) return [];
      try {
        return [[name, await readFile(file, 'utf8')] as const];
      } catch (thrown) {
        throw Invalid.field(variable, `cannot be read: ${messageOf(thrown)}`);
      }
    }),
  );
  return Object.fromEntries(texts.flat());
};

const saslOf = (read: Read): SASLOptions | undefined => {
  const mechanism = read.MILLRACE_KAFKA_SASL_MECHANISM;
  if (mechanism === undefined) return undefined;
  const username = read.MILLRACE_KAFKA_SASL_USERNAME;
  const password = read.MILLRACE_KAFKA_SASL_PASSWORD;
  if (username === undefined) throw Invalid.field('MILLRACE_KAFKA_SASL_USERNAME', 'is needed for SASL');
  if (password === undefined) throw Invalid.field('MILLRACE_KAFKA_SASL_PASSWORD', 'is needed for SASL');
  return { mechanism, username, password };
};
