import type { OwnAttribute } from './own-attributes.ts';

/** A span that no convention of OpenTelemetry describes: work of ours, of kind `internal`. */
export interface OwnSpan {
  /** Its name; `{…}` stands for a name of low cardinality. */
  readonly name: string;
  readonly service: string;
  readonly meaning: string;
  readonly required: readonly OwnAttribute[];
  readonly optional?: readonly OwnAttribute[];
  /** What its links lead to. */
  readonly links?: string;
}

const phase = (service: string, name: string, meaning: string): OwnSpan => ({
  name,
  service,
  meaning,
  required: [],
});

/** Every span of kind `internal`, by service. */
export const ownSpans: readonly OwnSpan[] = [
  {
    name: 'pipeline run',
    service: 'pipeline',
    meaning: 'A run from its submission to its end; emitted when it ends, by the ids chosen when it began',
    required: [
      'millrace.pipeline_run.id',
      'millrace.pipeline_run.number',
      'millrace.pipeline_run.state',
      'millrace.pipeline_run.caused_by',
      'millrace.project.name',
      'millrace.recipe.profile',
    ],
  },
  {
    name: 'pipeline step {step}',
    service: 'pipeline',
    meaning: 'A step from its command to its result, waiting included; emitted when the run ends',
    required: [
      'millrace.pipeline_run.id',
      'millrace.step.name',
      'millrace.step.state',
      'millrace.step.attempt',
      'millrace.step.cache.hit',
      'millrace.step.cache.reason',
    ],
  },
  {
    name: 'step {step}',
    service: '*',
    meaning: "The work of a step's handler in the service that owns it",
    required: ['millrace.pipeline_run.id', 'millrace.step.name', 'millrace.step.attempt'],
  },
  phase('ingest', 'collect files', 'Finds and fetches the source files'),
  phase('ingest', 'read files', 'Reads them into a table'),
  phase('ingest', 'check contract', 'Checks the table against the data contract'),
  phase('ingest', 'store dataset', 'Stores the table as a dataset version'),
  phase('ingest', 'profile dataset', 'Computes the profile of its columns'),
  phase('ingest', 'fetch dataset', 'Fetches the dataset version that is to be split'),
  phase('ingest', 'divide rows', 'Assigns rows to splits'),
  phase('ingest', 'check leaks', 'Looks for rows that are in two splits'),
  phase('ingest', 'store splits', 'Stores the splits'),
  phase('training', 'read split', 'Child process: reads the training split'),
  phase('training', 'read splits', 'Child process: reads training and validation split'),
  phase('training', 'fit transform', 'Child process: fits the transform'),
  phase('training', 'apply transform', 'Child process: applies it to the splits'),
  phase('training', 'fit {estimator}', 'Child process: fits the model, or runs the function of the project'),
  phase('training', 'predict', 'Child process: predicts the validation split'),
  phase('training', 'compute metrics', 'Child process: measures the model on it'),
  {
    name: 'add metric_points',
    service: 'training',
    meaning: 'Metrics of a run that were logged together; one span for all of their writes',
    required: ['millrace.metric.count'],
  },
  {
    name: 'predict {endpoint}',
    service: 'deployment',
    meaning: 'Choice of the revision, check of the input and answer of the model for one request',
    required: ['millrace.endpoint.name', 'millrace.prediction.count'],
    // What is known only once a revision was chosen and answered.
    optional: [
      'millrace.prediction.id',
      'millrace.endpoint.revision',
      'millrace.model.name',
      'millrace.model.version',
    ],
    links: 'the deployment of the revision, in the trace of the run that made the model',
  },
  {
    name: 'close window',
    service: 'monitoring',
    meaning: 'Measures a full window: drift, quality, performance, alerts',
    required: ['millrace.endpoint.name', 'millrace.window.number'],
  },
  ...['raise alert', 'resolve alert', 'request retraining'].map(
    (name): OwnSpan => ({
      name,
      service: 'monitoring',
      meaning: 'Stands in the trace of the run that set the monitor up',
      required: ['millrace.endpoint.name'],
      links: 'the window that caused it, in the trace of the predictions',
    }),
  ),
];
