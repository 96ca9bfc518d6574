import { Strategy } from '@millrace/contracts/deployment';
import { Alert, monitoringEvents, Severity } from '@millrace/contracts/monitoring';
import { AliasMove, registryEvents } from '@millrace/contracts/registry';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, Lab, shortType } from './lab.ts';
import { constantModel } from './packages.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
  for (const version of [1, 2, 3]) await lab.register('flights', version, await constantModel(version));
});
afterAll(() => lab.stop());
afterEach(async () => {
  for (const { endpoints } of [await lab.rpc.listEndpoints({ page: undefined })]) {
    for (const { name } of endpoints) await lab.rpc.deleteEndpoint({ name, actor: undefined });
  }
});

const { STRATEGY_CANARY, STRATEGY_DIRECT } = Strategy;
const deploy = (endpoint: string, modelVersion: number, strategy: Strategy, part: object = {}) =>
  lab.deploy({
    endpoint,
    model: 'flights',
    modelVersion,
    alias: 'production',
    policy: { strategy, canarySteps: strategy === STRATEGY_CANARY ? [50] : [], ...part } as never,
  });

/** An endpoint with version 1 stable and version 2 as a canary. */
const withCanary = async (name: string, part: object = {}) => {
  await deploy(name, 1, STRATEGY_DIRECT);
  await deploy(name, 2, STRATEGY_CANARY, { rollbackOnAlert: true, ...part });
};

let alerts = 0;
const raise = async (endpoint: string, part: Partial<Alert> = {}) => {
  alerts += 1;
  const id = `alert-${alerts}`;
  const alert = Alert.fromPartial({
    id,
    endpoint,
    rule: 'drift',
    severity: Severity.SEVERITY_CRITICAL,
    summary: 'distance drifted',
    ...(part as object),
  });
  await lab.publish(monitoringEvents.alertRaised, id, { alert });
  return id;
};

const moveAlias = async (toVersion: number, part: Partial<AliasMove> = {}) => {
  lab.aliases.set('flights@production', toVersion);
  const move = AliasMove.fromPartial({
    model: 'flights',
    alias: 'production',
    toVersion,
    ...(part as object),
  });
  await lab.publish(registryEvents.aliasMoved, 'flights', { move, modelDigest: '' });
};

const reaction = async (name: string) =>
  (await lab.rpc.listReactions({})).reactions.find((item) => item.name === name);

describe('a critical alert', () => {
  it('during a rollout takes the candidate out, once, and names itself', async () => {
    await withCanary('flights');
    const before = (await reaction('alert-rolls-back'))?.fired ?? 0;
    const id = await raise('flights');
    await raise('flights');
    await eventually(async () => expect(await lab.traffic('flights')).toBe('1:100'));
    await lab.settled();
    const events = await lab.events('flights', 'rolled_back');
    expect(events.at(-1)?.data).toMatchObject({ alertId: id, actor: { name: 'service:deployment' } });
    expect((await reaction('alert-rolls-back'))?.fired).toBe(before + 1);
  });

  it.each<[string, Partial<Alert>, object]>([
    ['that is only a warning', { severity: Severity.SEVERITY_WARNING }, {}],
    ['that asks to keep the rollout', { keepRollout: true }, {}],
    ['where the policy says no', {}, { rollbackOnAlert: false }],
    ['about another endpoint', { endpoint: 'elsewhere' }, {}],
  ])('%s leaves the rollout alone', async (_, part, policy) => {
    await withCanary('flights', policy);
    await raise('flights', part);
    await lab.settled();
    expect(await lab.traffic('flights')).toBe('1:50 2:50');
  });

  it('when no rollout is under way changes nothing', async () => {
    await deploy('flights', 1, STRATEGY_DIRECT);
    await lab.answer('flights');
    await deploy('flights', 2, STRATEGY_DIRECT);
    await raise('flights');
    await lab.settled();
    expect(await lab.traffic('flights')).toBe('2:100');
  });

  it('changes nothing while the reaction is switched off', async () => {
    await withCanary('flights');
    await lab.rpc.setReaction({ name: 'alert-rolls-back', enabled: false, actor: undefined });
    await raise('flights');
    await lab.settled();
    expect(await lab.traffic('flights')).toBe('1:50 2:50');
    await lab.rpc.setReaction({ name: 'alert-rolls-back', enabled: true, actor: undefined });
    await raise('flights');
    await eventually(async () => expect(await lab.traffic('flights')).toBe('1:100'));
  });
});

describe('an alias that moves', () => {
  it('redeploys the endpoints that follow it, and only those', async () => {
    await deploy('flights', 1, STRATEGY_DIRECT);
    await lab.deploy({ endpoint: 'private', model: 'flights', modelVersion: 1, alias: 'staging' });
    await moveAlias(2);
    await eventually(async () => expect(await lab.traffic('flights')).toBe('2:100'));
    expect(await lab.answer('flights')).toBe(2);
    await lab.settled();
    expect(await lab.traffic('private')).toBe('1:100');
  });

  it('leaves the endpoint alone whose deployment it followed', async () => {
    await deploy('flights', 1, STRATEGY_DIRECT);
    await moveAlias(2, { followedEndpoint: 'flights' });
    await lab.settled();
    expect(await lab.traffic('flights')).toBe('1:100');
  });

  it('leaves an endpoint alone that serves the version already, or is about to', async () => {
    await withCanary('flights');
    await moveAlias(1);
    await moveAlias(2);
    await lab.settled();
    expect(await lab.traffic('flights')).toBe('1:50 2:50');
  });

  it('waits for a rollout under way, and then only where it points counts', async () => {
    await withCanary('flights');
    await moveAlias(3);
    await lab.rpc.rollback({ endpoint: 'flights', actor: { name: 'user:ada', reason: 'no' } });
    await eventually(async () => expect((await lab.endpoint('flights')).rollout?.candidateRevision).toBe(3));
    const letters = await lab.runtime('pipeline').bus.internals.jsm.streams.info('DEAD');
    expect(letters.state.messages).toBe(0);
  });

  it('is forgotten when it has moved on before anybody could follow', async () => {
    await withCanary('flights');
    await moveAlias(3);
    lab.aliases.set('flights@production', 1);
    await lab.rpc.rollback({ endpoint: 'flights', actor: { name: 'user:ada', reason: 'no' } });
    await lab.settled();
    expect(await lab.traffic('flights')).toBe('1:100');
    expect((await lab.events('flights', 'rolled_back')).map(shortType).at(-1)).toBe('rolled_back');
  });
});

describe('a reaction', () => {
  it('that does not exist cannot be switched', async () => {
    await expect(
      lab.rpc.setReaction({ name: 'dance', enabled: true, actor: undefined }),
    ).rejects.toMatchObject({ code: 'not_found' });
  });
});
