import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestBroker, testBroker } from '@millrace/broker';
import { NotFound } from '@millrace/errors';
import { type ApiService, rpcContract, rpcRoutes, serviceDefinitions } from '@millrace/rest';
import {
  type Env,
  type Neighbours,
  type RunningService,
  type Runtime,
  readSettings,
  type ServiceModule,
  type ServiceName,
  startService,
} from '@millrace/service-kit';
import type { FastifyInstance } from 'fastify';
import { type Dispatcher, request } from 'undici';
import { vi } from 'vitest';
import { gateway } from '../src/service.ts';

/** What a service was asked. */
export interface Asked {
  readonly rpc: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever message the RPC takes
  readonly request: any;
}

export interface Answer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever JSON comes back
  readonly body: any;
}

type Handle = (request: never) => Promise<object>;

export interface LabOptions {
  /** Routes of a data plane in place of the deployment service's. */
  readonly dataPlane?: (app: FastifyInstance) => void;
  /** Whether services hand requests over to one another, as they do in the embedded mode. */
  readonly oneProcess?: boolean;
}

/**
 * The gateway on a real broker, before services that speak the real contracts over gRPC, note what they are asked
 * and answer with empty messages, or as a test tells them.
 */
export class Lab {
  readonly broker: TestBroker;
  readonly dataDir: string;
  readonly asked: Asked[] = [];
  /** Answers of `service.rpc`. */
  readonly answers = new Map<string, Handle>();
  readonly #running = new Map<ServiceName, RunningService>();
  readonly #runtimes = new Map<ServiceName, Runtime>();
  readonly #options: LabOptions;

  private constructor(broker: TestBroker, dataDir: string, options: LabOptions) {
    this.broker = broker;
    this.dataDir = dataDir;
    this.#options = options;
  }

  /**
   * @param env of the gateway
   * @param now the gateway's clock, milliseconds since the epoch
   */
  static async open(env: Env = {}, now: () => number = Date.now, options: LabOptions = {}): Promise<Lab> {
    const dataDir = await mkdtemp(join(tmpdir(), 'millrace-gateway-'));
    const lab = new Lab(await testBroker(), dataDir, options);
    for (const name of Object.keys(serviceDefinitions) as ApiService[]) {
      if (name !== 'gateway') await lab.startPeer(name);
    }
    const module = { ...gateway, setup: (runtime: Runtime) => gateway.setup({ ...runtime, now }) };
    await lab.start(lab.#remembered(module), env);
    return lab;
  }

  async start(module: ServiceModule, more: Env = {}): Promise<RunningService> {
    const env: Env = {
      NATS_URL: this.broker.url,
      MILLRACE_DATA_DIR: this.dataDir,
      MILLRACE_GRPC_PORT: '0',
      MILLRACE_HTTP_PORT: '0',
      MILLRACE_LOG_LEVEL: 'silent',
      ...more,
    };
    const address = (name: ServiceName, listener: 'grpc' | 'http') => {
      const service = this.#running.get(name);
      return `127.0.0.1:${(listener === 'grpc' ? service?.grpcPort : service?.httpPort) ?? 1}`;
    };
    const neighbours: Neighbours = (name) =>
      this.#options.oneProcess === true ? this.#running.get(name)?.local : undefined;
    const service = await startService(module, readSettings(module.name, env, address), env, neighbours);
    this.#running.set(module.name, service);
    return service;
  }

  startPeer(name: ApiService): Promise<RunningService> {
    return this.start(this.#peer(name));
  }

  async stopOne(name: ServiceName, options: { readonly drain?: boolean } = {}): Promise<void> {
    await this.#running.get(name)?.stop(options);
    this.#running.delete(name);
  }

  async stop(): Promise<void> {
    for (const service of [...this.#running.values()].reverse()) await service.stop();
    await this.broker.stop();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  runtime(name: ServiceName): Runtime {
    const runtime = this.#runtimes.get(name);
    if (runtime === undefined) throw new Error(`${name} is not running`);
    return runtime;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#running.get('gateway')?.httpPort}`;
  }

  async call(
    method: Dispatcher.HttpMethod,
    path: string,
    json?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const answer = await request(`${this.url}${path}`, {
      method,
      headers: json === undefined ? headers : { 'content-type': 'application/json', ...headers },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    const text = await answer.body.text();
    const isJson = String(answer.headers['content-type']).includes('json') && text !== '';
    return {
      status: answer.statusCode,
      headers: answer.headers,
      text,
      body: isJson ? JSON.parse(text) : undefined,
    };
  }

  #remembered(module: ServiceModule): ServiceModule {
    const setup: ServiceModule['setup'] = (runtime) => {
      this.#runtimes.set(module.name, runtime);
      return module.setup(runtime);
    };
    return { ...module, setup };
  }

  #peer(name: ApiService): ServiceModule {
    const handlers = Object.fromEntries(
      Object.keys(serviceDefinitions[name]).map((rpc) => [
        rpc,
        async (message: never) => {
          this.asked.push({ rpc: `${name}.${rpc}`, request: message });
          const told = this.answers.get(`${name}.${rpc}`);
          if (told !== undefined) return told(message);
          const route = rpcRoutes.find((item) => item.service === name && item.rpc === rpc);
          return route === undefined ? {} : rpcContract(route).response.codec.fromPartial({});
        },
      ]),
    );
    return {
      name,
      setup: async (runtime) => {
        this.#runtimes.set(name, runtime);
        return {
          rpc: [{ definition: serviceDefinitions[name] as never, handlers }],
          routes: this.#options.dataPlane ?? nobodysEndpoints,
        };
      },
    };
  }
}

const nobodysEndpoints = (app: FastifyInstance): void => {
  for (const url of ['/v2', '/v2/*', '/endpoints/*']) {
    app.route({
      method: ['GET', 'POST'],
      url,
      handler: async () => {
        throw new NotFound('there is no endpoint');
      },
    });
  }
};

/** Waits until a condition holds. */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: 60_000, interval: 50 });
