import { type ProviderState, providerSuite } from '@millrace/consumer-contracts/conformance';
import { ada, because, grace } from './fixtures.ts';
import { registerVersion } from './register-version.ts';
import { type Platform, type RegistryClient, startPlatform } from './service-fixture.ts';

const platforms: Platform[] = [];

/** A registry of its own in each state: what one consumer's call does cannot disturb another's. */
const enter = async (prepare: (client: RegistryClient) => Promise<unknown>, versions = 1) => {
  const platform = await startPlatform();
  platforms.push(platform);
  await platform.startRegistry();
  for (let number = 1; number <= versions; number += 1) await registerVersion(platform, 'flights', number);
  await prepare(platform.client);
  const methods = platform.client as unknown as Record<string, (request: object) => Promise<unknown>>;
  const call: ProviderState['call'] = async (rpc, request) => methods[rpc]?.(request);
  return { call };
};

const flights = { model: 'flights', version: 1, breakGlass: false };
const approve = (client: RegistryClient) => client.approveModelVersion({ ...flights, actor: grace });

providerSuite({
  provider: 'registry',
  states: {
    'nothing is registered': () => enter(async () => {}, 0),
    'flights/1 is registered': () => enter(async () => {}),
    'flights/1 is registered and approved': () => enter(approve),
    'flights/1 is registered and rejected': () =>
      enter((client) => client.rejectModelVersion({ ...flights, actor: because(grace, 'too slow') })),
    'production of flights is version 1': () =>
      enter(async (client) => {
        await approve(client);
        await client.setAlias({
          model: 'flights',
          alias: 'production',
          version: 1,
          expectedVersion: 0,
          actor: ada,
        });
      }),
  },
  close: async () => {
    for (const platform of platforms) await platform.stop();
  },
});
