import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { inSpan, startTelemetry, type Telemetry } from './index.ts';

type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;

interface Exported {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly unknown[] }[];
  }[];
}

const answering =
  (status: number): Behaviour =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
  };
const silent: Behaviour = () => {};
const cutting: Behaviour = (request) => request.socket.destroy();

/** Milliseconds that an export may take, so that the tests need not wait for the ten seconds of the default. */
const timeoutMs = '300';
/** Spans that wait for the collector, and one batch on its way. */
const most = 8_192 + 512;

let collector: Server;
let behaviour: Behaviour;
let received: number;
let directory: string;
let logFile: string;
let telemetry: Telemetry;

beforeEach(async () => {
  behaviour = answering(200);
  received = 0;
  collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => {});
    request.on('end', () => {
      const current = behaviour;
      current(request, response);
      if (response.statusCode !== 200 || !response.writableEnded) return;
      const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString()) as Exported;
      const scopes = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans);
      received += scopes.reduce((sum, { spans }) => sum + spans.length, 0);
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  directory = await mkdtemp(join(tmpdir(), 'millrace-otlp-'));
  logFile = join(directory, 'millrace.log');
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', `http://127.0.0.1:${(collector.address() as AddressInfo).port}`);
  vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', timeoutMs);
  vi.stubEnv('MILLRACE_LOG_FILE', logFile);
  vi.stubEnv('MILLRACE_LOG_LEVEL', 'info');
  vi.stubEnv('MILLRACE_TRACES_PER_SECOND', 'Infinity');
  telemetry = startTelemetry({ defaultService: 'test', env: process.env });
});

afterEach(async () => {
  await telemetry.shutdown();
  vi.unstubAllEnvs();
  collector.closeAllConnections();
  await new Promise((resolve) => collector.close(resolve));
  await rm(directory, { recursive: true, force: true });
});

const work = (times: number): Promise<unknown> =>
  Promise.all(Array.from({ length: times }, (_, i) => inSpan(`work ${i % 10}`, {}, async () => i)));

const logged = async (): Promise<readonly string[]> => {
  const text = await readFile(logFile, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { msg: string }).msg);
};

const failing = 'spans cannot be exported; those that find no room are dropped';
const again = 'spans are exported again';
const patience = { timeout: 60_000, interval: 20 };

describe.each([
  ['answers 400', answering(400)],
  ['answers 500', answering(500)],
  ['answers 503 and so wants a repetition', answering(503)],
  ['never answers', silent],
  ['cuts the connection', cutting],
])('a collector that %s', (_, fault: Behaviour) => {
  it('costs the work nothing, is told once, and its return once', async () => {
    behaviour = fault;
    for (let i = 0; i < 3; i += 1) {
      expect(await work(10)).toHaveLength(10);
      await telemetry.flush().catch(() => {});
      await vi.waitFor(async () => expect(await logged()).toEqual([failing]), patience);
    }
    behaviour = answering(200);
    await vi.waitFor(async () => {
      await work(1);
      await telemetry.flush().catch(() => {});
      expect(await logged()).toEqual([failing, again]);
    }, patience);
    expect(received).toBeGreaterThan(0);
  });
});

it('a collector that is away does not keep more spans in memory than there is room for', async () => {
  behaviour = silent;
  for (let i = 0; i < 20; i += 1) await work(1_000);
  await vi.waitFor(async () => expect(await logged()).toEqual([failing]), patience);
  behaviour = answering(200);
  let later = 0;
  await vi.waitFor(async () => {
    later += 1;
    await work(1);
    await telemetry.flush().catch(() => {});
    expect((await logged()).at(-1)).toBe(again);
  }, patience);
  await telemetry.flush();
  expect(received).toBeGreaterThan(later);
  expect(received).toBeLessThanOrEqual(most + later);
});

it('a collector that never answers does not keep the process from ending', async () => {
  behaviour = silent;
  await work(5_000);
  const ended = telemetry.shutdown().then(() => 'ended');
  expect(await ended).toBe('ended');
});
