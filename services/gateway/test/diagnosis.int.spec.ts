import type { Diagnosis } from '@millrace/installation';
import { apiPrefix } from '@millrace/rest';
import { serviceNames } from '@millrace/service-kit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Lab } from './fixture.ts';

const hour = 3_600_000;
const token = 'a-secret-of-many-letters';
let offsetMs = 0;
let lab: Lab;

beforeAll(async () => {
  lab = await Lab.open({ MILLRACE_TOKEN: token }, () => Date.now() + offsetMs);
});
afterAll(() => lab.stop());

const diagnose = async (): Promise<Diagnosis> => {
  const { status, body } = await lab.call('GET', `${apiPrefix}/diagnosis`, undefined, {
    authorization: `Bearer ${token}`,
  });
  expect(status).toBe(200);
  return body;
};

const brokerOf = ({ broker }: Diagnosis) => {
  if ('problem' in broker) throw new Error(broker.problem);
  return broker;
};

describe('the diagnosis', () => {
  it('has what every service says of itself, and who does not answer', async () => {
    const { services, access, broker } = await diagnose();
    expect(Object.keys(services).sort()).toEqual([...serviceNames].sort());
    for (const [name, item] of Object.entries(services)) {
      if ('problem' in item) throw new Error(`${name}: ${item.problem}`);
      expect(item.report).toMatchObject({
        service: name,
        node: process.versions.node,
        problems: {},
        store: { kind: 'sqlite' },
        blobs: { kind: 'directory' },
        certificates: [],
      });
      expect(item.report.blobs.problem).toBeUndefined();
      expect(item.report.disk?.total).toBeGreaterThan(0);
      expect(Math.abs(item.skewMs)).toBeLessThan(hour / 2);
    }
    expect(access).toEqual({ open: false, onLoopback: true });
    expect(broker).toMatchObject({ version: expect.stringMatching(/^2\./) });

    await lab.stopOne('evaluation');
    expect((await diagnose()).services.evaluation).toMatchObject({ problem: expect.any(String) });
  });

  it('is for admins only', async () => {
    for (const path of [`${apiPrefix}/diagnosis`, '/diagnosis']) {
      expect((await lab.call('GET', path)).status).toBe(401);
    }
  });

  it('tells clocks that differ by the hour that they differ', async () => {
    offsetMs = hour;
    try {
      const { services, broker } = await diagnose();
      const registry = services.registry;
      if (registry === undefined || 'problem' in registry) throw new Error('the registry does not answer');
      expect(Math.round(registry.skewMs / hour)).toBe(-1);
      expect(Math.round(brokerOf({ broker } as Diagnosis).skewMs / hour)).toBe(-1);
    } finally {
      offsetMs = 0;
    }
  });

  it('names a stream that was deleted, and consumers that are not there or are paused', async () => {
    const { jsm } = lab.runtime('gateway').bus.internals;
    const before = brokerOf(await diagnose());
    expect(before.streams.filter(({ problem }) => problem !== undefined)).toEqual([]);
    expect(before.consumers.find(({ name }) => name === 'gateway-traces')?.problem).toBeUndefined();
    // Nobody does the steps of this lab.
    expect(before.consumers).toContainEqual(
      expect.objectContaining({ stream: 'STEPS', name: 'training-steps', problem: 'missing' }),
    );

    await jsm.consumers.pause('SPANS', 'gateway-traces', new Date(Date.now() + hour));
    await jsm.streams.delete('INFERENCE');
    const broken = brokerOf(await diagnose());
    expect(broken.streams).toContainEqual(expect.objectContaining({ name: 'INFERENCE', problem: 'missing' }));
    expect(broken.consumers).toContainEqual(
      expect.objectContaining({ name: 'gateway-traces', problem: 'paused' }),
    );
    await jsm.consumers.resume('SPANS', 'gateway-traces');
  });

  it('tells that the broker is away', async () => {
    await lab.broker.kill();
    try {
      await vi.waitFor(
        async () => {
          const { broker, services } = await diagnose();
          expect(broker).toEqual({ problem: expect.any(String) });
          expect(services.registry).toMatchObject({ report: { problems: { bus: expect.any(String) } } });
        },
        { timeout: 60_000, interval: 200 },
      );
    } finally {
      await lab.broker.start();
    }
  });
});
