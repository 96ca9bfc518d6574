import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NatsServer, startNatsServer } from '@millrace/broker';
import { connect, type NatsConnection, nkeyAuthenticator } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Bus,
  type BusLogin,
  type BusUser,
  busUsers,
  connectBus,
  nkeyFileOf,
  nkeyFiles,
  type Running,
  serverAccounts,
  startKeeper,
} from '../src/index.ts';
import { until } from './fixture.ts';

let directory: string;
let server: NatsServer;
let admin: Bus;
let keeper: Running;
const connections = new Map<BusLogin, Client>();
const counts = { tried: 0, allowed: 0, refused: 0 };

/** A connection and what the server refused it. */
interface Client {
  readonly nc: NatsConnection;
  readonly refusals: string[];
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-accounts-'));
  const proofs = await nkeyFiles(join(directory, 'keys'));
  server = await startNatsServer({
    storeDir: join(directory, 'store'),
    authorization: serverAccounts(proofs),
  });
  admin = await connectBus({
    url: server.url,
    service: 'keeper',
    credentials: { nkeyFile: nkeyFileOf(join(directory, 'keys'), 'admin') },
  });
  keeper = startKeeper({ bus: admin, stepLeaseMs: 2_000, checkMs: 200 });
  await until(async () => {
    expect((await admin.internals.jsm.consumers.info('STEPS', 'training-steps')).name).toBe('training-steps');
    expect(
      (await admin.internals.jsm.consumers.info('EXHAUSTED', 'bridge-kafka-exhausted')).name,
    ).toBeTruthy();
  });
  for (const user of [...busUsers, 'observer'] as const) connections.set(user, await clientOf(user));
});

afterAll(async () => {
  for (const { nc } of connections.values()) await nc.close();
  await keeper?.stop();
  await admin?.drain();
  await server?.stop();
  await rm(directory, { recursive: true, force: true });
});

const clientOf = async (user: BusLogin): Promise<Client> => {
  const seed = await readFile(nkeyFileOf(join(directory, 'keys'), user));
  const nc = await connect({
    servers: server.url,
    authenticator: nkeyAuthenticator(seed),
    inboxPrefix: `_INBOX_${user}`,
  });
  const refusals: string[] = [];
  void (async () => {
    for await (const status of nc.status()) {
      if (status.type === 'error') refusals.push(status.error.message);
    }
  })();
  return { nc, refusals };
};

const of = (user: BusLogin): Client => {
  const client = connections.get(user);
  if (client === undefined) throw new Error(`${user} is not connected`);
  return client;
};

/** The server has answered what was sent, and its refusals are noted. */
const settled = async (nc: NatsConnection): Promise<void> => {
  await nc.flush();
  await new Promise((resolve) => setImmediate(resolve));
};

/** Whether the server lets the user publish there; the message reaches nothing that exists. */
const mayPublish = async (user: BusLogin, subject: string): Promise<boolean> => {
  const { nc, refusals } = of(user);
  const before = refusals.length;
  nc.publish(subject, '', { reply: `_INBOX_${user}.nothing` });
  await settled(nc);
  return !refusals.slice(before).some((text) => text.includes(`"${subject}"`));
};

const maySubscribe = async (user: BusLogin, subject: string, queue?: string): Promise<boolean> => {
  const { nc, refusals } = of(user);
  const before = refusals.length;
  const subscription = nc.subscribe(subject, {
    ...(queue === undefined ? {} : { queue }),
    // A refusal reaches the status as well.
    callback: () => {},
  });
  await settled(nc);
  if (!subscription.isClosed()) subscription.unsubscribe();
  return !refusals.slice(before).some((text) => text.includes(`"${subject}"`));
};

const steps: Partial<Record<BusUser, string>> = {
  ingest: 'split',
  training: 'train',
  evaluation: 'evaluate',
  registry: 'register',
  deployment: 'deploy',
  monitoring: 'monitor',
};
const ownConsumer: Partial<Record<BusUser, string>> = {
  ingest: 'ingest-cancellations',
  training: 'training-orphans',
  evaluation: 'evaluation-cancellations',
  registry: 'registry-audit',
  deployment: 'deployment-reactions',
  monitoring: 'monitoring-deployments',
  pipeline: 'pipeline-step-results',
  bridge: 'bridge-kafka',
};
const readers: readonly BusLogin[] = ['pipeline', 'gateway', 'bridge'];

/** One row of the table: what, and which users may. */
interface Row {
  readonly verb: 'publish' | 'subscribe';
  readonly subject: string;
  readonly queue?: string;
  readonly may: readonly BusLogin[];
}

const only = (...may: readonly BusLogin[]) => may;
const consumersOf = (verb: string) =>
  Object.entries(ownConsumer).map(([user, name]) => ({
    verb: 'publish' as const,
    subject: `$JS.API.CONSUMER.${verb}.EVENTS.${name}`,
    may: only(user as BusUser, ...(verb === 'INFO' ? (['observer'] as const) : [])),
  }));

const table: readonly Row[] = [
  // Each its own events, results of steps among them.
  ...busUsers.map((user) => ({
    verb: 'publish' as const,
    subject: `millrace.evt.${user}.table.tried.v1`,
    may: only(user),
  })),
  ...busUsers.map((user) => ({
    verb: 'publish' as const,
    subject: `millrace.spans.${user}`,
    may: only(user),
  })),
  ...busUsers.map((user) => ({
    verb: 'publish' as const,
    subject: `millrace.dead.relay-${user}`,
    may: only(user),
  })),
  ...Object.entries(ownConsumer).map(([user, name]) => ({
    verb: 'publish' as const,
    subject: `millrace.dead.${name}`,
    may: only(user as BusUser),
  })),
  ...Object.entries(steps).flatMap(([user, step]) => [
    { verb: 'publish' as const, subject: `millrace.step.${user}.${step}`, may: only('pipeline') },
    { verb: 'publish' as const, subject: `millrace.progress.run1.${step}`, may: only(user as BusUser) },
    {
      verb: 'publish' as const,
      subject: `$JS.API.CONSUMER.MSG.NEXT.STEPS.${user}-steps`,
      may: only(user as BusUser),
    },
    {
      verb: 'publish' as const,
      subject: `$JS.ACK.STEPS.${user}-steps.1.1.1.1.0`,
      may: only(user as BusUser),
    },
  ]),
  { verb: 'publish', subject: 'millrace.inference.flights', may: only('deployment') },
  {
    verb: 'publish',
    subject: '$JS.API.CONSUMER.MSG.NEXT.INFERENCE.monitoring-inference',
    may: only('monitoring'),
  },
  { verb: 'publish', subject: '$JS.API.CONSUMER.MSG.NEXT.SPANS.gateway-traces', may: only('gateway') },
  ...consumersOf('MSG.NEXT'),
  ...consumersOf('INFO'),
  ...Object.entries(ownConsumer).map(([user, name]) => ({
    verb: 'publish' as const,
    subject: `$JS.ACK.EVENTS.${name}.1.1.1.1.0`,
    may: only(user as BusUser),
  })),
  // Nobody but the keeper makes, changes or removes what is there.
  ...[
    '$JS.API.STREAM.CREATE.EVENTS',
    '$JS.API.STREAM.UPDATE.EVENTS',
    '$JS.API.STREAM.DELETE.EVENTS',
    '$JS.API.STREAM.PURGE.EVENTS',
    '$JS.API.STREAM.MSG.GET.EVENTS',
    '$JS.API.STREAM.MSG.DELETE.EVENTS',
    '$JS.API.STREAM.MSG.DELETE.STEPS',
    '$JS.API.STREAM.SNAPSHOT.EVENTS',
    '$JS.API.STREAM.RESTORE.EVENTS',
    '$JS.API.CONSUMER.CREATE.EVENTS.registry-audit.millrace.evt.registry.>',
    '$JS.API.CONSUMER.CREATE.EVENTS.pipeline-approvals.millrace.evt.>',
    '$JS.API.CONSUMER.DURABLE.CREATE.EVENTS.registry-audit',
    '$JS.API.CONSUMER.DELETE.STEPS.training-steps',
    '$JS.API.CONSUMER.PAUSE.EVENTS.registry-audit',
    '$JS.API.META.LEADER.STEPDOWN',
    '$SYS.REQ.SERVER.PING',
    'millrace.exhausted.EVENTS.registry-audit',
    'millrace.replayed.1',
    '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.EVENTS.registry-audit',
  ].map((subject) => ({ verb: 'publish' as const, subject, may: only() })),
  // Reading the past: all of it for those who show events, the own part for the others.
  { verb: 'publish', subject: '$JS.API.CONSUMER.CREATE.EVENTS.oc_1.millrace.evt.>', may: readers },
  ...busUsers.map((user) => ({
    verb: 'publish' as const,
    subject: `$JS.API.CONSUMER.CREATE.EVENTS.oc_1.millrace.evt.${user}.>`,
    may: [...new Set([user, ...readers])],
  })),
  ...busUsers.map((user) => ({
    verb: 'publish' as const,
    subject: `$JS.API.DIRECT.GET.EVENTS.millrace.evt.${user}.table.tried.v1`,
    may: only(user),
  })),
  { verb: 'publish', subject: '$JS.API.DIRECT.GET.EVENTS', may: only('observer') },
  { verb: 'publish', subject: '$JS.API.DIRECT.GET.DEAD', may: only('gateway', 'observer') },
  { verb: 'publish', subject: 'millrace.keeper.replay', may: only('gateway') },
  { verb: 'publish', subject: '$JS.API.CONSUMER.LIST.EVENTS', may: only('observer') },
  // Asking for events again: only those whose events one gets.
  {
    verb: 'publish',
    subject: 'millrace.refill.pipeline',
    may: busUsers.filter((user) => !['pipeline', 'gateway'].includes(user)),
  },
  { verb: 'publish', subject: 'millrace.refill.training', may: only('registry', 'pipeline', 'bridge') },
  // Each its own inbox and its own questions, and nothing of the streams' subjects live.
  ...([...busUsers, 'observer'] as const).map((user) => ({
    verb: 'subscribe' as const,
    subject: `_INBOX_${user}.*`,
    may: only(user),
  })),
  ...busUsers.map((user) => ({
    verb: 'subscribe' as const,
    subject: `millrace.refill.${user}`,
    queue: user,
    may: only(user),
  })),
  { verb: 'subscribe', subject: 'millrace.refill.training', may: only() },
  { verb: 'subscribe', subject: 'millrace.progress.*.train', may: only('gateway') },
  ...['>', '_INBOX.>', 'millrace.evt.>', 'millrace.step.>', '$JS.ACK.>', '$JS.API.>', '_R_.>', '$SYS.>'].map(
    (subject) => ({ verb: 'subscribe' as const, subject, may: only() }),
  ),
];

describe('what each user may do', () => {
  afterAll(() => {
    console.log(
      `permissions: ${table.length} subjects × ${connections.size} users: ${counts.tried} tried, ${counts.allowed} allowed, ${counts.refused} refused`,
    );
  });

  it.each(table.map((row) => ({ ...row, who: row.may.join(', ') || 'nobody' })))(
    '$verb $subject: $who',
    async ({ verb, subject, queue, may }) => {
      const found: BusLogin[] = [];
      for (const user of connections.keys()) {
        counts.tried += 1;
        const allowed =
          verb === 'publish' ? await mayPublish(user, subject) : await maySubscribe(user, subject, queue);
        if (allowed) found.push(user);
      }
      counts.allowed += found.length;
      counts.refused += connections.size - found.length;
      expect(found.sort()).toEqual([...may].sort());
    },
  );
});

/** How many messages the streams hold under subjects that the pattern names. */
const stored = async (stream: 'EVENTS' | 'STEPS', subjects_filter: string): Promise<number> => {
  const { state } = await admin.internals.jsm.streams.info(stream, { subjects_filter });
  return Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
};

describe('a server that is asked to answer on the subject of another', () => {
  const forged = 'millrace.evt.registry.alias.moved.v1';
  const command = 'millrace.step.deployment.deploy';

  beforeAll(async () => {
    for (const stream of ['EVENTS', 'STEPS']) await admin.internals.jsm.streams.purge(stream);
    await of('ingest').nc.request('millrace.evt.ingest.table.tried.v1', '{}');
  });

  it.each([
    ['a stored message', '$JS.API.DIRECT.GET.EVENTS.millrace.evt.ingest.table.tried.v1', 'ingest'],
    ['the ack of a publication', 'millrace.evt.ingest.table.tried.v1', 'ingest'],
    ['the next message of a consumer', '$JS.API.CONSUMER.MSG.NEXT.EVENTS.bridge-kafka', 'bridge'],
    ['the state of a stream', '$JS.API.STREAM.INFO.EVENTS', 'pipeline'],
    ['the refill of another service', 'millrace.refill.training', 'registry'],
  ] as const)('puts nothing there: %s', async (_what, subject, user) => {
    const answering = of('training').nc.subscribe('millrace.refill.training', {
      queue: 'training',
      callback: (_error, message) => void message.respond('{}'),
    });
    await of('training').nc.flush();
    const { nc } = of(user);
    for (const reply of [forged, command]) nc.publish(subject, '', { reply });
    await nc.flush();
    // What comes after on the same connection has come, so what was before has been answered.
    await nc.request('$JS.API.INFO', '');
    expect(await stored('EVENTS', forged)).toBe(0);
    if (user !== 'pipeline') expect(await stored('STEPS', command)).toBe(0);
    answering.unsubscribe();
  });

  it('does so where everybody shares an account, which is why they do not', async () => {
    const { nc, jsm } = admin.internals;
    await nc.request(forged, 'an event');
    nc.publish(`$JS.API.DIRECT.GET.EVENTS.${forged}`, '', { reply: command });
    await until(async () => expect(await stored('STEPS', command)).toBe(1));
    for (const stream of ['EVENTS', 'STEPS']) await jsm.streams.purge(stream);
  });
});
