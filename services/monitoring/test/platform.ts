import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BlobStore, openFsBlobStore } from '@millrace/blobs';
import { type TestBroker, testBroker } from '@millrace/broker';
import { type Bus, connectBus, startRelay, type TailedEvent } from '@millrace/bus';
import type { EventDefinition } from '@millrace/contracts';
import { InferenceBatch } from '@millrace/contracts/deployment';
import {
  type Alert,
  MonitoringServiceService,
  monitoringEvents,
  type Window,
} from '@millrace/contracts/monitoring';
import { StepCommand, type StepFailure, type StepSuccess } from '@millrace/contracts/step';
import {
  eventMessage,
  newId,
  PeerChannel,
  type RpcClient,
  type RunningService,
  readSettings,
  startService,
} from '@millrace/service-kit';
import { type DocumentStore, type Json, openSqliteStore } from '@millrace/store';
import { expect, vi } from 'vitest';
import { monitoring } from '../src/service.ts';
import { profileOfFlights } from './flights.ts';

export const endpoint = 'flights';

export interface StepEnd {
  readonly success?: StepSuccess;
  readonly failure?: StepFailure;
}

/** The monitoring service with a real broker, store and blobs, and stand-ins that only publish. */
export class Platform {
  readonly #dataDir: string;
  readonly #others: { readonly bus: Bus; readonly store: DocumentStore };
  readonly broker: TestBroker;
  readonly blobs: BlobStore;
  readonly #channel: PeerChannel;
  #service: RunningService | undefined;
  #process: { readonly child: ChildProcess; readonly grpcPort: number } | undefined;

  readonly #variables: Readonly<Record<string, string>>;

  private constructor(
    dataDir: string,
    broker: TestBroker,
    blobs: BlobStore,
    others: { readonly bus: Bus; readonly store: DocumentStore },
    variables: Readonly<Record<string, string>>,
  ) {
    this.#variables = variables;
    this.#dataDir = dataDir;
    this.broker = broker;
    this.blobs = blobs;
    this.#others = others;
    this.#channel = new PeerChannel(
      'monitoring',
      () => `127.0.0.1:${this.#process?.grpcPort ?? this.#service?.grpcPort ?? 1}`,
    );
  }

  static async start(variables: Readonly<Record<string, string>> = {}): Promise<Platform> {
    const dataDir = await mkdtemp(join(tmpdir(), 'millrace-monitoring-'));
    const broker = await testBroker();
    const blobs = await openFsBlobStore({ directory: join(dataDir, 'blobs') });
    const store = await openSqliteStore({ path: join(dataDir, 'others.sqlite'), service: 'deployment' });
    const bus = await connectBus({ url: broker.url, service: 'deployment' });
    startRelay({ bus, outbox: store.outbox });
    const platform = new Platform(dataDir, broker, blobs, { bus, store }, variables);
    await platform.startMonitoring();
    return platform;
  }

  get client(): RpcClient<MonitoringServiceService> {
    return this.#channel.service(MonitoringServiceService);
  }

  get bus(): Bus {
    return this.#others.bus;
  }

  get #env() {
    return {
      MILLRACE_GRPC_PORT: '0',
      MILLRACE_HTTP_PORT: '0',
      MILLRACE_DATA_DIR: this.#dataDir,
      NATS_URL: this.broker.url,
      MILLRACE_LOG_LEVEL: process.env.MILLRACE_LOG_LEVEL ?? 'silent',
      ...this.#variables,
    };
  }

  async startMonitoring(): Promise<void> {
    this.#service = await startService(monitoring, readSettings('monitoring', this.#env), this.#env);
  }

  async stopMonitoring(): Promise<void> {
    await this.#service?.stop();
    this.#service = undefined;
    await this.killMonitoring();
  }

  /** Runs the service in a process of its own, which can be killed. */
  async startMonitoringProcess(): Promise<void> {
    const main = join(import.meta.dirname, '../src/main.ts');
    const child = fork(main, { env: { ...process.env, ...this.#env }, execArgv: [] });
    const [message] = await once(child, 'message');
    this.#process = { child, grpcPort: (message as { grpcPort: number }).grpcPort };
  }

  /** Ends the service's process without warning. */
  async killMonitoring(): Promise<void> {
    if (this.#process === undefined) return;
    const exited = once(this.#process.child, 'exit');
    this.#process.child.kill('SIGKILL');
    await exited;
    this.#process = undefined;
  }

  async stop(): Promise<void> {
    this.#channel.close();
    await this.stopMonitoring();
    await this.#others.bus.drain();
    await this.#others.store.close();
    await this.blobs.close();
    await this.broker.stop();
    await rm(this.#dataDir, { recursive: true, force: true });
  }

  /** Runs the step `monitor` on a profile of flights and waits for how it ended. */
  async bind(config: object = {}, overrides: Partial<StepCommand> = {}): Promise<StepEnd> {
    const profile = await this.blobs.put(new TextEncoder().encode(JSON.stringify(profileOfFlights())));
    const command = StepCommand.fromPartial({
      pipelineRunId: newId('run'),
      step: 'monitor',
      attempt: 1,
      project: { project: 'flights-project' },
      recipe: { task: 'regression', targetColumn: 'arr_delay', modelName: 'flights', seed: 42 },
      config: { endpoint, window: { records: 200 }, ...config },
      inputs: [
        { name: 'dataset', kind: 'dataset_version', id: 'flights@1' },
        { name: 'profile', kind: 'profile', id: 'flights@1', digest: profile.digest },
        { name: 'model_version', kind: 'model_version', id: 'flights/3' },
        { name: 'endpoint', kind: 'endpoint_revision', id: `${endpoint}/2` },
      ],
      ...(overrides as object),
    });
    const key = `${command.pipelineRunId}.monitor.1`;
    await this.#others.store.collection<{ sent: true }>({ name: 'commands' }).insert(key, { sent: true }, [
      {
        subject: 'millrace.step.monitoring.monitor',
        type: 'millrace.step.command',
        key,
        id: key,
        data: StepCommand.toJSON(command) as Json,
      },
    ]);
    return this.#stepEnd(key);
  }

  /** Commits and publishes an event of the deployment service. */
  async publishEvent<T>(definition: EventDefinition<T>, key: string, data: T): Promise<void> {
    await this.#others.store.collection<{ count: number }>({ name: 'endpoints' }).update(key, (current) => ({
      document: { count: (current?.document.count ?? 0) + 1 },
      messages: [eventMessage(definition, key, data)],
    }));
  }

  async publish(...batches: readonly InferenceBatch[]): Promise<void> {
    for (const batch of batches) await this.publishBytes(InferenceBatch.encode(batch).finish());
  }

  publishBytes(bytes: Uint8Array): Promise<void> {
    return this.bus.publishInference(`millrace.inference.${endpoint}`, bytes, { id: newId('message') });
  }

  /** The closed windows, oldest first, once there are so many. */
  async windows(count: number): Promise<readonly Window[]> {
    return eventually(async () => {
      const { windows } = await this.client.listWindows({ endpoint, page: undefined });
      expect(windows.length).toBe(count);
      return windows.toReversed();
    });
  }

  async alerts(onlyOpen = true): Promise<readonly Alert[]> {
    return (await this.client.listAlerts({ endpoint, onlyOpen, page: undefined })).alerts;
  }

  /** Waits until every inference message is acknowledged. */
  async settled(): Promise<void> {
    await eventually(async () => {
      const { jsm } = this.bus.internals;
      const info = await jsm.consumers.info('INFERENCE', 'monitoring-inference');
      expect(info.num_pending + info.num_ack_pending).toBe(0);
    });
  }

  /** The service's events of a type so far, once there are so many. */
  async events<T>(definition: EventDefinition<T>, count: number): Promise<readonly TailedEvent[]> {
    const found: TailedEvent[] = [];
    if (count === 0) return found;
    const reading = {
      filterSubjects: [definition.subject],
      since: 'all',
      signal: AbortSignal.timeout(20_000),
    } as const;
    for await (const event of this.bus.readEvents(reading)) {
      found.push(event);
      if (found.length === count) break;
    }
    return found;
  }

  /** How many events of the type there are now. */
  async eventCount<T>(definition: EventDefinition<T>): Promise<number> {
    const { state } = await this.bus.internals.jsm.streams.info('EVENTS', {
      subjects_filter: definition.subject,
    });
    return state.subjects?.[definition.subject] ?? 0;
  }

  async #stepEnd(key: string): Promise<StepEnd> {
    const filterSubjects = [monitoringEvents.stepSucceeded.subject, monitoringEvents.stepFailed.subject];
    const signal = AbortSignal.timeout(20_000);
    for await (const event of this.bus.readEvents({ filterSubjects, since: 'all', signal })) {
      if (event.key !== key) continue;
      if (event.type === monitoringEvents.stepFailed.type) {
        const { result } = monitoringEvents.stepFailed.codec.fromJSON(event.data);
        return result === undefined ? {} : { failure: result };
      }
      const { result } = monitoringEvents.stepSucceeded.codec.fromJSON(event.data);
      return result === undefined ? {} : { success: result };
    }
    throw new Error(`the step ${key} did not end`);
  }
}

/** Repeats until it does not throw. */
export const eventually = <T>(attempt: () => Promise<T>): Promise<T> =>
  vi.waitFor(attempt, { timeout: 60_000, interval: 50 });
