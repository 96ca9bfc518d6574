import { type BlobStore, parseDigest } from '@millrace/blobs';
import { Invalid } from '@millrace/errors';
import type { DatasetProfile } from '@millrace/tabular';
import { z } from 'zod';
import type { LoadBaseline, LoadProfile } from '../application/ports.ts';
import { makeBaseline, predictionColumn } from '../domain/baseline.ts';
import { type Binding, bindingId, type DriftSettings } from '../domain/monitor.ts';
import type { Baseline } from '../domain/window-sketch.ts';

const maxProfileBytes = 64 * 1024 * 1024;

/** Profiles in memory: a wide one is a few megabytes. */
const cachedProfiles = 16;

const numberList = z.array(z.number());

/** What is read of a profile; more may be there. */
const profileSchema = z.looseObject({
  version: z.literal(1),
  columns: z.array(
    z.looseObject({
      name: z.string(),
      type: z.enum(['number', 'integer', 'boolean', 'string', 'timestamp']),
      count: z.number().int(),
      missing: z.number().int(),
      distinct: z.number(),
      numeric: z
        .looseObject({
          min: z.number(),
          max: z.number(),
          std: z.number(),
          bins: z.object({ edges: numberList.min(2), counts: numberList.min(1) }),
          sample: numberList.min(1),
        })
        .optional(),
      categorical: z
        .looseObject({
          top: z.array(z.object({ value: z.string(), count: z.number().int() })),
          other: z.number().int(),
        })
        .optional(),
    }),
  ),
});

const parseProfile = (bytes: Uint8Array, digest: string): DatasetProfile => {
  try {
    return profileSchema.parse(JSON.parse(new TextDecoder().decode(bytes))) as unknown as DatasetProfile;
  } catch (cause) {
    throw new Invalid(`${digest} is not a profile of a dataset`, { cause });
  }
};

/** Loads each key once while it is among the latest; what fails is tried again. */
const rememberedBy = <T>(): ((key: string, load: () => Promise<T>) => Promise<T>) => {
  const cache = new Map<string, Promise<T>>();
  return (key, load) => {
    const cached = cache.get(key);
    if (cached !== undefined) return cached;
    const loading = load();
    cache.set(key, loading);
    loading.catch(() => cache.delete(key));
    const [oldest] = cache.keys();
    if (cache.size > cachedProfiles && oldest !== undefined) cache.delete(oldest);
    return loading;
  };
};

/** Reads profiles from the blob store; content-addressed, so they are never read twice while they are remembered. */
export const profileLoader = (blobs: BlobStore): LoadProfile => {
  const remembered = rememberedBy<DatasetProfile>();
  return (digest) =>
    remembered(digest, async () =>
      parseProfile(await blobs.read(parseDigest(digest), maxProfileBytes), digest),
    );
};

/** What a baseline is made from, beside the profiles that the binding names. */
const baselineKey = (binding: Binding, { features }: DriftSettings, seed: number): string =>
  JSON.stringify([bindingId(binding), binding.task.type, features, seed]);

/** The same object each time while it is remembered, so that others can tell that they know it. */
export const baselineLoader = (loadProfile: LoadProfile): LoadBaseline => {
  const load: LoadBaseline = async (binding, settings, seed) => {
    const profile = await loadProfile(binding.profileDigest);
    const { predictionProfileDigest } = binding;
    const predictions =
      predictionProfileDigest === '' ? undefined : await loadProfile(predictionProfileDigest);
    const column = predictions?.columns.find(({ name }) => name === predictionColumn);
    if (predictions !== undefined && column === undefined) {
      throw new Invalid(`the profile of the predictions has no column "${predictionColumn}"`);
    }
    return makeBaseline(binding, settings, seed, profile, column);
  };
  const remembered = rememberedBy<Baseline>();
  return (binding, settings, seed) =>
    remembered(baselineKey(binding, settings, seed), () => load(binding, settings, seed));
};
