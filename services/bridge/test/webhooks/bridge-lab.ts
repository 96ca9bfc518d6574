import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestBroker, testBroker } from '@millrace/broker';
import { type Bus, connectBus, serveRefill, startRelay } from '@millrace/bus';
import { BridgeServiceService, type CreateWebhookRequest } from '@millrace/contracts/bridge';
import { PolicyChanged, registryEvents } from '@millrace/contracts/registry';
import {
  eventMessage,
  newId,
  PeerChannel,
  type RpcClient,
  type RunningService,
  readSettings,
  startService,
} from '@millrace/service-kit';
import { type DocumentStore, openSqliteStore } from '@millrace/store';
import { bridge } from '../../src/service.ts';

/** The bridge with a real broker and store, in this process or in one that can be killed, and a registry that only publishes. */
export class BridgeLab {
  readonly dataDir: string;
  readonly broker: TestBroker;
  readonly #registry: { readonly bus: Bus; readonly store: DocumentStore };
  readonly #variables: Readonly<Record<string, string>>;
  readonly #channel: PeerChannel;
  #service: RunningService | undefined;
  #child: { readonly process: ChildProcess; readonly grpcPort: number } | undefined;

  private constructor(
    dataDir: string,
    broker: TestBroker,
    registry: { readonly bus: Bus; readonly store: DocumentStore },
    variables: Readonly<Record<string, string>>,
  ) {
    this.dataDir = dataDir;
    this.broker = broker;
    this.#registry = registry;
    this.#variables = variables;
    this.#channel = new PeerChannel(
      'bridge',
      () => `127.0.0.1:${this.#child?.grpcPort ?? this.#service?.grpcPort ?? 1}`,
    );
  }

  static async start(variables: Readonly<Record<string, string>> = {}): Promise<BridgeLab> {
    const dataDir = await mkdtemp(join(tmpdir(), 'millrace-webhooks-'));
    const broker = await testBroker();
    const store = await openSqliteStore({ path: join(dataDir, 'registry.sqlite'), service: 'registry' });
    const bus = await connectBus({ url: broker.url, service: 'registry' });
    startRelay({ bus, outbox: store.outbox });
    await serveRefill({ bus, outbox: store.outbox, service: 'registry' });
    return new BridgeLab(dataDir, broker, { bus, store }, variables);
  }

  get client(): RpcClient<BridgeServiceService> {
    return this.#channel.service(BridgeServiceService);
  }

  get bus(): Bus {
    return this.#registry.bus;
  }

  get #env() {
    return {
      MILLRACE_GRPC_PORT: '0',
      MILLRACE_HTTP_PORT: '0',
      MILLRACE_DATA_DIR: this.dataDir,
      NATS_URL: this.broker.url,
      MILLRACE_LOG_LEVEL: process.env.MILLRACE_LOG_LEVEL ?? 'silent',
      MILLRACE_WEBHOOK_ALLOW: '127.0.0.0/8',
      MILLRACE_WEBHOOK_RETRIES: '50ms,50ms,100ms,100ms,200ms',
      ...this.#variables,
    };
  }

  /** Starts the bridge in this process. */
  async open(variables: Readonly<Record<string, string>> = {}): Promise<void> {
    const env = { ...this.#env, ...variables };
    this.#service = await startService(bridge, readSettings('bridge', env), env);
  }

  async close(): Promise<void> {
    await this.#service?.stop();
    this.#service = undefined;
    await this.kill();
  }

  /** Starts the bridge in a process of its own. */
  async fork(): Promise<void> {
    const main = join(import.meta.dirname, '../../src/main.ts');
    const child = fork(main, { env: { ...process.env, ...this.#env }, execArgv: [] });
    const [message] = (await once(child, 'message')) as [{ grpcPort: number }];
    this.#child = { process: child, grpcPort: message.grpcPort };
  }

  /** Ends the bridge's process without warning. */
  async kill(): Promise<void> {
    if (this.#child === undefined) return;
    const exited = once(this.#child.process, 'exit');
    this.#child.process.kill('SIGKILL');
    await exited;
    this.#child = undefined;
  }

  /** Makes a webhook for all events but those of the bridge itself, unless told otherwise. */
  async create(
    url: string,
    request: Partial<CreateWebhookRequest> = {},
  ): Promise<{ id: string; secret: string }> {
    const { webhook, secret } = await this.client.createWebhook({
      url,
      description: '',
      filter: { eventTypes: ['millrace.registry.*'], entities: [] },
      actor: { name: 'user:ada', reason: '' },
      unordered: false,
      ...request,
    });
    return { id: webhook?.id ?? '', secret };
  }

  /** Commits and publishes a next event of a model's entity; resolves its id. */
  async publish(model: string, note = ''): Promise<string> {
    const entity = this.#registry.store.collection<{ count: number }>({ name: 'policies' });
    const id = newId('evt');
    const data = PolicyChanged.fromPartial({ model, actor: { name: 'user:ada', reason: note } });
    await entity.update(model, (current) => ({
      document: { count: (current?.document.count ?? 0) + 1 },
      messages: [{ ...eventMessage(registryEvents.policyChanged, model, data), id }],
    }));
    return id;
  }

  async stop(): Promise<void> {
    this.#channel.close();
    await this.close();
    await this.#registry.bus.drain();
    await this.#registry.store.close();
    await this.broker.stop();
    await rm(this.dataDir, { recursive: true, force: true });
  }
}
