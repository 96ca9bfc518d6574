/** Features of the model: `steps.transform.transformer_method` in recipe.yaml names the function. */

type Columns = Record<string, (number | string | boolean | null)[]>;

/** What `fit` learnt of the training rows: kept with the model, as JSON. */
interface State {
  readonly scales: Record<string, { readonly mean: number; readonly deviation: number }>;
}

const measures = [
  'age',
  'bmi',
  'blood_pressure',
  'total_cholesterol',
  'ldl',
  'hdl',
  'cholesterol_ratio',
  'log_triglycerides',
  'glucose',
] as const;

const numbersOf = (columns: Columns, name: string): number[] => (columns[name] ?? []).map(Number);

const scaleOf = (values: readonly number[]) => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance) || 1 };
};

/** Scaled measures with their products, and the sex as a column of its own. */
export const transformer = () => ({
  fit: ({ features }: { features: Columns }): State => ({
    scales: Object.fromEntries(measures.map((name) => [name, scaleOf(numbersOf(features, name))])),
  }),
  transform: ({ state, features }: { state: State; features: Columns }): Columns => {
    const scaled = measures.map((name) => {
      const { mean, deviation } = state.scales[name] ?? { mean: 0, deviation: 1 };
      return [name, numbersOf(features, name).map((value) => (value - mean) / deviation)] as const;
    });
    const products = scaled.flatMap(([first, left], index) =>
      scaled
        .slice(index + 1)
        .map(([second, right]) => [
          `${first}_x_${second}`,
          left.map((value, row) => value * (right[row] ?? 0)),
        ]),
    );
    const sex = numbersOf(features, 'sex').map((value) => (value === 2 ? 1 : 0));
    return Object.fromEntries([...scaled, ...products, ['sex', sex]]);
  },
});
