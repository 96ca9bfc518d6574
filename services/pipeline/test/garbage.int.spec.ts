import { createRandom } from '@millrace/random';
import { afterEach, describe, expect, test } from 'vitest';
import { dayMs, retention, World } from './garbage/world.ts';

/** More of them by `MILLRACE_GC_ROUNDS=200`; one again by `MILLRACE_TEST_SEED=<seed> MILLRACE_GC_ROUNDS=1`. */
const rounds = Number(process.env.MILLRACE_GC_ROUNDS ?? 6);
const firstSeed = Number(process.env.MILLRACE_TEST_SEED ?? 1);
const collections = 8;

let world: World;

const open = async (seed: number): Promise<{ random: () => number }> => {
  const source = createRandom(seed);
  const random = () => source.uniform();
  world = await World.open(random);
  return { random };
};

afterEach(() => world.close());

const runsLeft = async (): Promise<number> => (await world.runs.find({ limit: 1_000 })).items.length;

describe('a collection of garbage among writers', () => {
  for (let seed = firstSeed; seed < firstSeed + rounds; seed += 1) {
    test(`loses nothing in use and leaves nothing unused (seed ${seed})`, { timeout: 240_000 }, async () => {
      const { random } = await open(seed);
      const seen = { retired: 0, restored: 0, purged: 0, removed: 0, kills: 0 };
      for (let round = 0; round < collections; round += 1) {
        for (let step = 0; step < 25; step += 1) await world.disturb();
        const isKilled = random() < 0.4;
        if (isKilled) seen.kills += 1;
        const found = await world.collect(isKilled ? { killIn: Math.floor(random() * 40) } : {});
        seen.retired += found.retired.blobs;
        seen.restored += found.restored.blobs;
        seen.purged += found.purged.blobs;
        seen.removed += found.documentsRemoved;
        expect(found.missing).toEqual([]);
        await world.liveDigests();
        await world.checkLineage();
        world.pass(random() * 3 * dayMs);
      }
      expect(seen.retired, JSON.stringify(seen)).toBeGreaterThan(0);

      await world.settle();
      world.held.clear();
      world.pass(30 * dayMs);
      // Documents go at once; a chain of blobs may come to be unused by it, and is then aside for the grace.
      for (let round = 0; round < 3; round += 1) {
        await world.collect({ disturbed: false });
        world.pass(retention.graceMs + 1);
      }
      const live = await world.liveDigests();
      await world.checkLineage();
      expect([...(await world.existing())].sort()).toEqual([...live].sort());
      const idle = await world.collect({ disturbed: false });
      expect(idle.documentsRemoved + idle.retired.blobs + idle.purged.blobs).toBe(0);
    });
  }

  test('changes nothing when it only looks, and tells what a collection then does', async () => {
    await open(77);
    for (let step = 0; step < 150; step += 1) await world.disturb();
    await world.settle();
    world.pass(30 * dayMs);
    const before = { blobs: await world.existing(), runs: await runsLeft() };
    const planned = await world.collect({ disturbed: false, dryRun: true });
    expect({ blobs: await world.existing(), runs: await runsLeft() }).toEqual(before);
    const done = await world.collect({ disturbed: false });
    expect(planned.garbageTotal).toBeGreaterThan(0);
    expect(done.garbage).toEqual(planned.garbage);
    expect(await runsLeft()).toBe(before.runs - done.documentsRemoved);
  });

  test('tells of blobs that are needed and missing, and goes on', async () => {
    await open(78);
    for (let step = 0; step < 60; step += 1) await world.disturb();
    await world.settle();
    const [missing = ''] = await world.liveDigests();
    const { digest: unused } = await world.blobs.put(new TextEncoder().encode('nobody needs it'));
    await world.blobs.delete(missing as `sha256:${string}`);
    world.pass(2 * dayMs);
    const found = await world.collect({ disturbed: false });
    expect(found.missing).toMatchObject([
      { digest: missing, referredBy: expect.stringMatching(/^pipeline\/runs\/|^sha256:/) },
    ]);
    expect(found.garbage).toContainEqual(expect.objectContaining({ name: unused, action: 'retire' }));
  });

  test('brings back what was put aside and is used again', async () => {
    await open(79);
    const bytes = new TextEncoder().encode('wanted again');
    const { digest } = await world.blobs.put(bytes);
    world.pass(2 * dayMs);
    expect((await world.collect({ disturbed: false })).retired.blobs).toBe(1);
    world.pass(2 * dayMs);
    const run = {
      id: `run_${'0'.repeat(26)}`,
      state: 'running',
      manifestDigest: digest,
      outputs: [],
      madeBy: '',
    } as const;
    await world.runs.insert(run.id, run);
    const found = await world.collect({ disturbed: false });
    expect(found.restored.blobs).toBe(1);
    expect(Buffer.from(await world.blobs.read(digest, 100)).equals(bytes)).toBe(true);
  });
});
