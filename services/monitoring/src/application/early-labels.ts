import type { Collections } from './ports.ts';

/** Early labels kept per endpoint; more are refused. */
const maxEarlyLabels = 100_000;

/** A label whose prediction has not come after this long belongs to none that is kept. */
const earlyLabelAgeMs = 3_600_000;

const earlyKey = (endpoint: string, predictionId: string): string => `${endpoint}/${predictionId}`;

const ofEndpoint = (endpoint: string) => ({ field: 'endpoint', op: 'eq', value: endpoint }) as const;

/** Keeps labels that came before their predictions, which travel in batches. */
export const keepEarlyLabels = async (
  { earlyLabels }: Collections,
  endpoint: string,
  labels: ReadonlyMap<string, number | string>,
  now: number,
): Promise<void> => {
  if ((await earlyLabels.count(ofEndpoint(endpoint))) + labels.size > maxEarlyLabels) return;
  await Promise.all(
    [...labels].map(([predictionId, label]) =>
      earlyLabels.update(earlyKey(endpoint, predictionId), () => ({
        document: { endpoint, predictionId, label, at: now },
      })),
    ),
  );
};

/** The early labels among these predictions. They stay stored until they expire: joining again is harmless. */
export const takeEarlyLabels = async (
  { earlyLabels }: Collections,
  endpoint: string,
  predictionIds: readonly string[],
): Promise<Readonly<Record<string, number | string>>> => {
  if ((await earlyLabels.count(ofEndpoint(endpoint))) === 0) return {};
  const found: [predictionId: string, label: number | string][] = [];
  for (let start = 0; start < predictionIds.length; start += 1000) {
    const keys = predictionIds.slice(start, start + 1000).map((id) => earlyKey(endpoint, id));
    for (const { document } of await earlyLabels.getMany(keys)) {
      found.push([document.predictionId, document.label]);
    }
  }
  return Object.fromEntries(found);
};

/** Forgets labels whose predictions never came. */
export const expireEarlyLabels = async ({ earlyLabels }: Collections, now: number): Promise<void> => {
  const old = earlyLabels.scan({ field: 'at', op: 'lt', value: now - earlyLabelAgeMs });
  for await (const { key, version } of old)
    await earlyLabels.commit({ key, expected: version, document: null });
};
