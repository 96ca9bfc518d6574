import type { InferenceBatch, InferenceRecord, Scalar } from '@millrace/contracts/deployment';
import { CategoricalSketch, NumericSketch, profileOfSketch } from '@millrace/drift';
import { createRandom } from '@millrace/random';
import type { ColumnProfile, DatasetProfile } from '@millrace/tabular';

export interface Flight {
  readonly distance: number;
  readonly hour: number;
  readonly carrier: string;
}

const carriers = ['AA', 'AA', 'AA', 'DL', 'DL', 'UA'];

/** Flights as the model was trained on, or later than then by `hours`. */
export const makeFlights = (count: number, seed: number, hours = 0): Flight[] => {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => ({
    distance: Math.round(200 + 2000 * random.uniform() * random.uniform()),
    hour: 5 + 12 * random.uniform() + hours,
    carrier: carriers[random.integer(carriers.length)] ?? 'AA',
  }));
};

export const delayOf = ({ distance, hour }: Flight): number => hour * 2 - distance / 200;

const numeric = (name: string, values: readonly number[]): ColumnProfile => {
  const sketch = new NumericSketch([0, 0], 2000);
  values.forEach((value, i) => {
    sketch.add(value, i);
  });
  return profileOfSketch(name, sketch);
};

/** The pinned profile: three features, the target, and a column that no client sends. */
export const profileOfFlights = (): DatasetProfile => {
  const flights = makeFlights(2000, 1);
  const carrier = new CategoricalSketch([]);
  for (const flight of flights) carrier.add(flight.carrier);
  return {
    version: 1,
    rowCount: flights.length,
    columns: [
      numeric(
        'distance',
        flights.map(({ distance }) => distance),
      ),
      numeric(
        'hour',
        flights.map(({ hour }) => hour),
      ),
      profileOfSketch('carrier', carrier),
      numeric('arr_delay', flights.map(delayOf)),
      numeric(
        'row',
        flights.map((_, i) => i),
      ),
    ],
  };
};

const scalar = (value: number | string): Scalar => ({
  kind: typeof value === 'number' ? { $case: 'number', value } : { $case: 'text', value },
});

const start = Date.UTC(2026, 0, 1);

export const recordOf = (flight: Flight, id: string, second: number): InferenceRecord => ({
  predictionId: id,
  revision: 2,
  time: new Date(start + second * 1000).toISOString(),
  features: {
    distance: scalar(flight.distance),
    hour: scalar(flight.hour),
    carrier: scalar(flight.carrier),
  },
  prediction: scalar(delayOf(flight)),
  probabilities: {},
  latencyMs: 4,
  error: '',
  shadow: false,
  traceId: '',
});

/**
 * Batches of 50 predictions of one serving process, numbered from `from`. Prediction ids are
 * `<source>-<position>`, counted from the source's first batch.
 */
export const batchesOf = (flights: readonly Flight[], endpoint: string, from = 1, source = 'server-1') => {
  const batches: InferenceBatch[] = [];
  for (let row = 0; row < flights.length; row += 50) {
    const sequence = from + row / 50;
    const records = flights.slice(row, row + 50).map((flight, i) => {
      const position = (sequence - 1) * 50 + i;
      return recordOf(flight, `${source}-${position}`, position);
    });
    batches.push({ endpoint, source, sequence, records, droppedBefore: 0 });
  }
  return batches;
};
