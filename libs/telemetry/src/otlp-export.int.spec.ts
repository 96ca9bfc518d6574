import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { inSpan, runAsService, startTelemetry } from './index.ts';

interface Exported {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { key: string; value: { stringValue?: string } }[] };
    readonly scopeSpans: readonly { readonly spans: readonly { readonly name: string }[] }[];
  }[];
}

let collector: Server;
let received: { path: string; body: Exported }[];
const endpoint = () => `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;

beforeEach(async () => {
  received = [];
  collector = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({
        path: request.url ?? '',
        body: JSON.parse(Buffer.concat(chunks).toString()) as Exported,
      });
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', endpoint());
});

afterEach(async () => {
  vi.unstubAllEnvs();
  collector.closeAllConnections();
  await new Promise((resolve) => collector.close(resolve));
});

it('sends the spans of each service to the collector that the standard variable names', async () => {
  const telemetry = startTelemetry({ defaultService: 'test', env: process.env });
  await runAsService('ingest', () => inSpan('read files', {}, async () => {}));
  await runAsService('registry', () => inSpan('register', {}, async () => {}));
  await telemetry.shutdown();
  expect(new Set(received.map(({ path }) => path))).toEqual(new Set(['/v1/traces']));
  const found = received.flatMap(({ body }) =>
    body.resourceSpans.map(({ resource, scopeSpans }) => ({
      service: resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue,
      names: scopeSpans.flatMap(({ spans }) => spans.map(({ name }) => name)),
    })),
  );
  expect(found).toContainEqual({ service: 'ingest', names: ['read files'] });
  expect(found).toContainEqual({ service: 'registry', names: ['register'] });
});
