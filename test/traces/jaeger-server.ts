import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '../support/wait.ts';

const run = promisify(execFile);
const sources = join(import.meta.dirname, 'jaeger');
const sourceFiles = ['go.mod', 'go.sum', 'main.go'] as const;

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Changes with the versions in `go.mod` and with the composition. */
const versionOfSources = async (): Promise<string> => {
  const hash = createHash('sha256');
  for (const file of sourceFiles) hash.update(await readFile(join(sources, file)));
  return hash.digest('hex').slice(0, 16);
};

/** Builds Jaeger from its Go module, once per version; answers the path of the program. */
export const installJaeger = async (): Promise<string> => {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'millrace', 'jaeger');
  const target = join(cache, await versionOfSources());
  const program = join(target, 'jaeger');
  if (await exists(program)) return program;
  const draft = `${target}.${process.pid}`;
  await mkdir(draft, { recursive: true });
  for (const file of sourceFiles) await cp(join(sources, file), join(draft, file));
  await run('go', ['build', '-mod=readonly', '-ldflags=-s -w', '-o', 'jaeger', '.'], {
    cwd: draft,
    env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOWORK: 'off' },
    maxBuffer: 64 * 1024 * 1024,
  });
  await rename(draft, target).catch(async (thrown: unknown) => {
    // Another process was faster.
    await rm(draft, { recursive: true, force: true });
    if (!(await exists(program))) throw thrown;
  });
  return program;
};

/** A port that is free now: Jaeger does not tell which it chose. */
const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
};

/** A span as Jaeger's query service tells it. */
export interface JaegerSpan {
  readonly spanID: string;
  readonly operationName: string;
  readonly references: readonly {
    readonly refType: 'CHILD_OF' | 'FOLLOWS_FROM';
    readonly traceID: string;
    readonly spanID: string;
  }[];
  readonly processID: string;
  readonly tags: readonly { readonly key: string; readonly value: unknown }[];
}

export interface JaegerTrace {
  readonly spans: readonly JaegerSpan[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
}

/** Jaeger's collector (OTLP over HTTP), memory store and query service, in a process of their own. */
export interface Jaeger {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly otlpUrl: string;
  /** Names of the services that sent spans. */
  services(): Promise<readonly string[]>;
  /** `undefined` when it has no span of that trace. */
  trace(traceId: string): Promise<JaegerTrace | undefined>;
  stop(): Promise<void>;
}

export const startJaeger = async (): Promise<Jaeger> => {
  const program = await installJaeger();
  const [otlp, query] = [await freePort(), await freePort()];
  const child = spawn(
    program,
    [
      `--collector.otlp.http.host-port=127.0.0.1:${otlp}`,
      `--query.http-server.host-port=127.0.0.1:${query}`,
      '--collector.otlp.grpc.host-port=127.0.0.1:0',
      '--collector.grpc-server.host-port=127.0.0.1:0',
      '--collector.http-server.host-port=127.0.0.1:0',
      '--query.grpc-server.host-port=127.0.0.1:0',
    ],
    { stdio: ['ignore', 'inherit', 'pipe'] },
  );
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const exited = once(child, 'exit');
  const ask = async <T>(path: string): Promise<T | undefined> => {
    const answer = await fetch(`http://127.0.0.1:${query}/api/${path}`);
    if (answer.status === 404) return undefined;
    return ((await answer.json()) as { data: T | null }).data ?? undefined;
  };
  await until('Jaeger to answer', async () => {
    if (child.exitCode !== null) throw new Error(`Jaeger ended with code ${child.exitCode}: ${said}`);
    await ask('services');
    return true;
  });
  return {
    otlpUrl: `http://127.0.0.1:${otlp}`,
    services: async () => (await ask<string[]>('services')) ?? [],
    trace: async (traceId) => (await ask<JaegerTrace[]>(`traces/${traceId}`))?.[0],
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
};
