import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { registerModelVersion } from '../src/application/register-model-version.ts';
import { digestNumber, registrationOf } from './fixtures.ts';
import { openRegistry, type RegistryFixture } from './registry-fixture.ts';

describe('registering model versions', () => {
  let registry: RegistryFixture;
  beforeEach(async () => {
    registry = await openRegistry();
  });
  afterEach(() => registry.dispose());

  const oneTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

  test('numbers 50 at once from several processes 1 to 50, with one event each', async () => {
    const contexts = [registry.context, await registry.another(), await registry.another()];
    const registered = await Promise.all(
      oneTo(50).map((number, index) => {
        const context = contexts[index % contexts.length] ?? registry.context;
        return registerModelVersion(context, registrationOf({ digest: digestNumber(number) }));
      }),
    );
    const numbers = registered.map(({ version }) => version.number).sort((left, right) => left - right);
    expect(numbers).toEqual(oneTo(50));
    expect(registered.every(({ created }) => created)).toBe(true);
    const events = await registry.store.outbox.pending(1_000);
    expect(new Set(events.map(({ key }) => key))).toEqual(
      new Set(oneTo(50).map((number) => `flights/${number}`)),
    );
    expect(events).toHaveLength(50);
    expect(events.every(({ sequence }) => sequence === 1)).toBe(true);
  });

  test('gives the same model the same version, however often and from wherever it comes', async () => {
    const contexts = [registry.context, await registry.another()];
    const registered = await Promise.all(
      oneTo(20).map((index) => {
        const tags = { attempt: String(index) };
        return registerModelVersion(contexts[index % 2] ?? registry.context, registrationOf({ tags }));
      }),
    );
    expect(new Set(registered.map(({ version }) => version.number))).toEqual(new Set([1]));
    expect(registered.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(registered.map(({ version }) => version.tags.attempt)).size).toBe(1);
    expect(await registry.store.outbox.pending(1_000)).toHaveLength(1);
  });

  test('numbers each model on its own', async () => {
    const register = (model: string, digest: number) =>
      registerModelVersion(registry.context, registrationOf({ model, digest: digestNumber(digest) }));
    const registered = await Promise.all([
      register('flights', 1),
      register('taxis', 1),
      register('flights', 2),
      register('taxis', 2),
    ]);
    const keys = registered.map(({ version }) => `${version.model}/${version.number}`);
    expect(keys.sort()).toEqual(['flights/1', 'flights/2', 'taxis/1', 'taxis/2']);
  });

  test('refuses a name that is none and creates nothing', async () => {
    await expect(registerModelVersion(registry.context, registrationOf({ model: '../x' }))).rejects.toThrow(
      /^model:/,
    );
    expect(await registry.context.collections.models.count()).toBe(0);
  });
});
