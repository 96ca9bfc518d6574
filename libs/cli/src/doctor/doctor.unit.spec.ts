import type { Diagnosis, ServiceReport } from '@millrace/installation';
import { describe, expect, it } from 'vitest';
import { judgeDiagnosis } from './diagnosis-findings.ts';
import type { FindingState } from './finding.ts';

const now = '2027-04-01T12:00:00.000Z';
const gibibyte = 1024 ** 3;

const report = (service: string, more: Partial<ServiceReport> = {}): ServiceReport => ({
  service,
  version: '0.1.0',
  node: '24.1.0',
  pid: 1,
  host: 'a',
  time: now,
  uptimeMs: 60_000,
  problems: {},
  store: { kind: 'sqlite', unsent: 0 },
  blobs: { kind: 'directory' },
  disk: { path: '/data', free: 50 * gibibyte, total: 100 * gibibyte, freeInodes: 90, totalInodes: 100 },
  files: { open: 40, limit: 65_536 },
  certificates: [{ file: '/tls/a.pem', notAfter: '2027-07-01T00:00:00.000Z' }],
  ...more,
});

const healthy: Diagnosis = {
  time: now,
  services: {
    registry: { report: report('registry'), skewMs: 3 },
    gateway: { report: report('gateway'), skewMs: 0 },
  },
  broker: {
    version: '2.15.2',
    skewMs: -4,
    streams: [{ name: 'EVENTS', messages: 12 }],
    consumers: [{ stream: 'EVENTS', name: 'registry-runs', pending: 0, unacknowledged: 0, stalledMs: 0 }],
  },
  access: { open: false, onLoopback: true },
};

const withRegistry = (more: Partial<ServiceReport>, skewMs = 0): Diagnosis => ({
  ...healthy,
  services: { ...healthy.services, registry: { report: report('registry', more), skewMs } },
});
const withBroker = (more: object): Diagnosis => ({
  ...healthy,
  broker: { ...healthy.broker, ...more } as Diagnosis['broker'],
});
const withConsumer = (problem: string) =>
  withBroker({
    consumers: [
      { stream: 'EVENTS', name: 'registry-runs', pending: 7, unacknowledged: 2, stalledMs: 90_000, problem },
    ],
  });

describe('doctor', () => {
  it('finds nothing wrong where nothing is', () => {
    const findings = judgeDiagnosis(healthy, 5);
    expect(findings.filter(({ state }) => state !== 'ok')).toEqual([]);
    expect(findings.map(({ check }) => check)).toEqual([
      'service registry',
      'service gateway',
      'versions of services',
      'Node of services',
      'stores',
      'blobs',
      'disk of a',
      'open files',
      'clocks',
      'NATS',
      'streams',
      'consumers',
      'certificates',
      'access',
      'traces',
    ]);
  });

  it.each<[string, Diagnosis, FindingState, string, RegExp, RegExp]>([
    [
      'a service that is gone',
      { ...healthy, services: { registry: { problem: 'connect ECONNREFUSED' } } },
      'fail',
      'service registry',
      /does not answer: connect ECONNREFUSED/,
      /millrace restart registry/,
    ],
    [
      'a service without its broker',
      withRegistry({ problems: { bus: 'not connected to NATS' } }),
      'fail',
      'service registry',
      /bus: not connected/,
      /Mend the broker/,
    ],
    [
      'two versions',
      withRegistry({ version: '0.2.0' }),
      'warn',
      'versions of services',
      /0\.1\.0: gateway; 0\.2\.0: registry/,
      /upgrade\.md/,
    ],
    [
      'a store that does not answer',
      withRegistry({ store: { kind: 'mongodb', problem: 'no primary' } }),
      'fail',
      'store of registry',
      /mongodb: no primary/,
      /database/,
    ],
    [
      'messages that wait',
      withRegistry({ store: { kind: 'sqlite', unsent: 12, oldestUnsent: '2027-04-01T11:45:00.000Z' } }),
      'fail',
      'store of registry',
      /12 messages wait for the broker, the oldest for 900 s/,
      /NATS/,
    ],
    [
      'a bucket that refuses',
      withRegistry({ blobs: { kind: 's3', problem: 'AccessDenied' } }),
      'fail',
      'blobs of registry',
      /s3: AccessDenied/,
      /MILLRACE_BLOBS_URL/,
    ],
    [
      'a small disk',
      withRegistry({
        host: 'b',
        disk: { path: '/data', free: 5_000_000, total: gibibyte, freeInodes: 90, totalInodes: 100 },
      }),
      'fail',
      'disk of b',
      /0\.0 GiB/,
      /millrace gc run/,
    ],
    [
      'a disk without inodes',
      withRegistry({
        host: 'b',
        disk: { path: '/data', free: 9 * gibibyte, total: 10 * gibibyte, freeInodes: 0, totalInodes: 100 },
      }),
      'fail',
      'disk of b',
      /0 % of inodes/,
      /inodes/,
    ],
    [
      'few file handles',
      withRegistry({ files: { open: 250, limit: 256 } }),
      'fail',
      'open files of registry',
      /250 open, 256/,
      /ulimit/,
    ],
    [
      'a clock an hour ahead',
      withRegistry({}, 3_600_000),
      'fail',
      'clocks',
      /registry, against the gateway: 3600\.0 s ahead/,
      /NTP/,
    ],
    ['a clock a bit behind', withRegistry({}, -5_000), 'warn', 'clocks', /5\.0 s behind/, /NTP/],
    ['a broker with another clock', withBroker({ skewMs: 90_000 }), 'fail', 'clocks', /the broker/, /NTP/],
    [
      'a broker that is away',
      { ...healthy, broker: { problem: 'not connected' } },
      'fail',
      'NATS',
      /not connected/,
      /NATS_URL/,
    ],
    [
      'a broker that is too old',
      withBroker({ version: '2.9.10' }),
      'fail',
      'NATS',
      /2\.9\.10/,
      /2\.11\.0 or newer/,
    ],
    [
      'a stream that is gone',
      withBroker({ streams: [{ name: 'EVENTS', messages: 0, problem: 'missing' }] }),
      'fail',
      'stream EVENTS',
      /missing/,
      /Restart the services/,
    ],
    [
      'a replica that is behind',
      withBroker({
        streams: [
          { name: 'EVENTS', messages: 1, problem: 'replica_behind', replicas: { wanted: 3, current: 2 } },
        ],
      }),
      'warn',
      'stream EVENTS',
      /2 of 3 copies/,
      /broker\.md/,
    ],
    [
      'a consumer that is gone',
      withConsumer('missing'),
      'fail',
      'consumer registry-runs of EVENTS',
      /missing/,
      /Restart its service/,
    ],
    [
      'a stuck consumer',
      withConsumer('stuck'),
      'fail',
      'consumer registry-runs of EVENTS',
      /stuck; 7 wait, 2 in hand, for 90 s/,
      /handler/,
    ],
    [
      'a consumer ahead of its stream',
      withConsumer('ahead_of_stream'),
      'fail',
      'consumer registry-runs of EVENTS',
      /ahead of stream/,
      /replaces/,
    ],
    [
      'a certificate that has ended',
      withRegistry({ certificates: [{ file: '/tls/b.pem', notAfter: '2027-03-01T00:00:00.000Z' }] }),
      'fail',
      'certificate /tls/b.pem',
      /ended 2027-03-01/,
      /certs renew/,
    ],
    [
      'a certificate about to end',
      withRegistry({ certificates: [{ file: '/tls/b.pem', notAfter: '2027-04-05T00:00:00.000Z' }] }),
      'warn',
      'certificate /tls/b.pem',
      /ends 2027-04-05/,
      /certs renew/,
    ],
    [
      'a gateway open to this machine',
      { ...healthy, access: { open: true, onLoopback: true } },
      'warn',
      'access',
      /everybody on this machine/,
      /MILLRACE_TOKEN/,
    ],
    [
      'a gateway open to all',
      { ...healthy, access: { open: true, onLoopback: false } },
      'fail',
      'access',
      /everybody who reaches/,
      /MILLRACE_TOKEN/,
    ],
    [
      'traces to two places',
      withRegistry({ tracesTo: 'http://collector:4318' }),
      'warn',
      'traces',
      /http:\/\/collector:4318/,
      /OTEL_EXPORTER_OTLP_ENDPOINT/,
    ],
  ])('tells %s, and what to do', (_, diagnosis, state, check, found, advice) => {
    const finding = judgeDiagnosis(diagnosis, 0).find((item) => item.state !== 'ok');
    expect(finding).toMatchObject({ state, check });
    expect(finding?.found).toMatch(found);
    expect(finding?.advice).toMatch(advice);
  });

  it('compares the clock of the gateway with that of this machine', () => {
    const finding = judgeDiagnosis(healthy, -120_000).find(({ check }) => check === 'clocks');
    expect(finding).toMatchObject({
      state: 'fail',
      found: expect.stringContaining('against this machine: 120.0 s behind'),
    });
  });
});
