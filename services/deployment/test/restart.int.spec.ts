import { join } from 'node:path';
import { RolloutState, Strategy } from '@millrace/contracts/deployment';
import { openSqliteStore } from '@millrace/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyEndpoint, startRollout } from '../src/domain/decide.ts';
import { rolloutPolicy } from '../src/domain/rollout-policy.ts';
import { eventually, Lab } from './lab.ts';
import { constantModel } from './packages.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
  for (const version of [1, 2]) await lab.register('flights', version, await constantModel(version));
});
afterAll(() => lab.stop());

const deploy = (endpoint: string, modelVersion: number, strategy: Strategy) =>
  lab.deploy({ endpoint, model: 'flights', modelVersion, policy: { strategy, canarySteps: [50] } as never });

describe('a restart', () => {
  it('serves what was served, with its shares, counts and the public address', async () => {
    await deploy('flights', 1, Strategy.STRATEGY_DIRECT);
    await lab.answer('flights');
    await deploy('flights', 2, Strategy.STRATEGY_CANARY);
    await lab.stopService();
    await lab.start({ MILLRACE_PUBLIC_URL: 'https://models.example.org/' });
    expect(await lab.traffic('flights')).toBe('1:50 2:50');
    const units = Array.from({ length: 20 }, (_, unit) => `unit-${unit}`);
    const answers = await Promise.all(units.map((unit) => lab.answer('flights', unit)));
    expect(new Set(answers)).toEqual(new Set([1, 2]));
    const { endpoint, revisions } = await lab.rpc.getEndpoint({ name: 'flights' });
    expect(revisions[0]?.servedRequests).toBeGreaterThanOrEqual(1);
    expect(endpoint?.url).toBe('https://models.example.org/endpoints/flights/invocations');
  });

  it('takes up a rollout that a crash left while its candidate was loading', async () => {
    await deploy('interrupted', 1, Strategy.STRATEGY_DIRECT);
    await lab.stopService();
    // What the service commits before it loads the candidate.
    const path = join(lab.runtime('pipeline').settings.dataDir, 'deployment', 'store.sqlite');
    const store = await openSqliteStore({ path, service: 'deployment' });
    const endpoints = store.collection<ReturnType<typeof emptyEndpoint>>({
      name: 'endpoints',
      indexes: [{ path: 'alias', type: 'text' }],
    });
    const { modelDigest } = (await endpoints.get('interrupted'))?.document.revisions[0] ?? {
      modelDigest: '',
    };
    const revision = { model: 'flights', modelVersion: 1, modelDigest, pipelineRunId: '' };
    const policy = { ...rolloutPolicy(undefined), strategy: Strategy.STRATEGY_DIRECT };
    await endpoints.update('interrupted', (current) => ({
      document: startRollout(
        current?.document ?? emptyEndpoint('', '', ''),
        revision,
        policy,
        '',
        '2026-01-01',
      ).endpoint,
    }));
    await store.close();
    await lab.start();
    const endpoint = await lab.endpoint('interrupted');
    expect(endpoint.rollout?.state).toBe(RolloutState.ROLLOUT_STATE_PROMOTED);
    expect(await lab.traffic('interrupted')).toBe('2:100');
    expect(await lab.answer('interrupted')).toBe(1);
  });

  it('of the broker stops no prediction, and the records come after it returns', async () => {
    await deploy('offline', 1, Strategy.STRATEGY_DIRECT);
    await lab.broker.kill();
    const ids: string[] = [];
    for (let i = 0; i < 5; i += 1) {
      const { status, body } = await lab.predict('offline');
      expect(status).toBe(200);
      ids.push(body.prediction_ids[0]);
    }
    await lab.broker.start();
    await eventually(() => {
      const records = lab.batches
        .filter(({ endpoint }) => endpoint === 'offline')
        .flatMap((batch) => batch.records);
      expect(records.map(({ predictionId }) => predictionId)).toEqual(ids);
    });
  });
});
