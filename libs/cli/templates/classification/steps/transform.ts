/**
 * Features of your own. `steps.transform.transformer_method` in recipe.yaml names the function. It needs no import of
 * Millrace: a plain object with `fit` (sees the training split only) and `transform` (used in training and serving).
 */

type Columns = Record<string, (number | string | boolean | null)[]>;

/** What `fit` learnt: it is kept with the model, as JSON. */
interface State {
  readonly meanDelayByCarrier: Record<string, number>;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** Delay, distance, hour of departure, and how late the carrier usually departs. */
export const transformer = () => ({
  fit: ({ features }: { features: Columns }): State => {
    const byCarrier = new Map<string, number[]>();
    for (const [row, carrier] of (features.carrier ?? []).entries()) {
      const delays = byCarrier.get(String(carrier)) ?? [];
      byCarrier.set(String(carrier), [...delays, Number(features.dep_delay?.[row] ?? 0)]);
    }
    return {
      meanDelayByCarrier: Object.fromEntries([...byCarrier].map(([name, delays]) => [name, mean(delays)])),
    };
  },
  transform: ({ state, features }: { state: State; features: Columns }): Columns => ({
    dep_delay: features.dep_delay ?? [],
    distance: features.distance ?? [],
    // Timestamps are milliseconds since 1970.
    hour: (features.scheduled_at ?? []).map((at) => new Date(Number(at)).getUTCHours()),
    // A carrier that was not seen in training is taken for one that departs on time.
    carrier_delay: (features.carrier ?? []).map((name) => state.meanDelayByCarrier[String(name)] ?? 0),
  }),
});
