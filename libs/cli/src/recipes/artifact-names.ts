import { Invalid } from '@millrace/errors';

/** Where an artifact of MLflow Recipes is found. */
export interface ArtifactPlace {
  readonly step: string;
  /** Name of the step's output that holds it; the first that there is. */
  readonly outputs: readonly string[];
  /** Name of the file or directory that it is fetched to. */
  readonly file: string;
}

const parquet = (step: string, output: string): ArtifactPlace => ({
  step,
  outputs: [output],
  file: `${output}.parquet`,
});

/** The artifacts of a recipe by their name in MLflow Recipes. */
export const artifactPlaces: Readonly<Record<string, ArtifactPlace>> = {
  ingested_data: parquet('ingest', 'dataset'),
  training_data: parquet('split', 'train'),
  validation_data: parquet('split', 'validation'),
  test_data: parquet('split', 'test'),
  transformed_training_data: parquet('transform', 'transformed_training_data'),
  transformed_validation_data: parquet('transform', 'transformed_validation_data'),
  transformer: { step: 'transform', outputs: ['transform'], file: 'transformer' },
  model: { step: 'train', outputs: ['model'], file: 'model' },
  run: { step: 'train', outputs: ['training_run'], file: 'run.json' },
  best_parameters: { step: 'train', outputs: ['best_parameters'], file: 'best_parameters.yaml' },
  predicted_training_data: parquet('train', 'predicted_training_data'),
  registered_model_version: {
    step: 'register',
    outputs: ['model_version'],
    file: 'registered_model_version.json',
  },
  ingested_scoring_data: { step: 'ingest_scoring', outputs: ['dataset'], file: 'scoring-dataset.parquet' },
  scored_data: { step: 'predict', outputs: ['scored_data'], file: 'scored.parquet' },
};

/** Throws `Invalid` for a name that no recipe has. */
export const artifactPlace = (name: string): ArtifactPlace => {
  const place = Object.hasOwn(artifactPlaces, name) ? artifactPlaces[name] : undefined;
  if (place !== undefined) return place;
  throw Invalid.field('--artifact', `"${name}" is no artifact of a recipe`, {
    hint: `Artifacts are ${Object.keys(artifactPlaces).join(', ')}.`,
  });
};
