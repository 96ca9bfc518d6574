/** An attribute of ours: what it means and what it holds. */
export interface AttributeDefinition {
  readonly type: 'string' | 'int' | 'boolean';
  readonly meaning: string;
  /** Every value that it may have, where they are few. */
  readonly values?: readonly string[];
  readonly example: string;
}

/**
 * Every attribute whose name begins with `millrace.`. Published: a name keeps its meaning, and is given up only
 * with a new one beside it for a release. Values are ids, names, counts and states; never data, features,
 * predictions, credentials or texts that a person wrote.
 */
export const ownAttributes = {
  'millrace.pipeline_run.id': {
    type: 'string',
    meaning: 'Pipeline run that the work belongs to',
    example: 'run_01k8…',
  },
  'millrace.pipeline_run.number': {
    type: 'int',
    meaning: 'Number of the run in its project, from 1',
    example: '7',
  },
  'millrace.pipeline_run.state': {
    type: 'string',
    meaning: 'How the run ended',
    values: ['succeeded', 'failed', 'cancelled'],
    example: 'succeeded',
  },
  'millrace.pipeline_run.caused_by': {
    type: 'string',
    meaning: 'Trigger, or id of the event, that asked for the run; empty when a person did',
    example: 'nightly',
  },
  'millrace.project.name': { type: 'string', meaning: 'Project of the run', example: 'flights' },
  'millrace.recipe.profile': {
    type: 'string',
    meaning: 'Profile of the recipe; empty without one',
    example: 'baseline',
  },
  'millrace.step.name': { type: 'string', meaning: 'Step of the recipe', example: 'train' },
  'millrace.step.attempt': { type: 'int', meaning: 'Attempt of the step, from 1', example: '1' },
  'millrace.step.state': {
    type: 'string',
    meaning: 'State of the step when the run ended',
    example: 'succeeded',
  },
  'millrace.step.cache.hit': {
    type: 'boolean',
    meaning: 'Whether the outputs of an equal step were taken',
    example: 'false',
  },
  'millrace.step.cache.reason': {
    type: 'string',
    meaning: 'Why they were taken or not',
    example: 'no equal step was done before',
  },
  'millrace.message.type': {
    type: 'string',
    meaning: 'Type of the event or command (`ce-type`)',
    example: 'millrace.registry.model_version.approved.v1',
  },
  'millrace.message.delivery': {
    type: 'int',
    meaning: 'How many times the broker has delivered the message, from 1',
    example: '1',
  },
  'millrace.endpoint.name': { type: 'string', meaning: 'Endpoint', example: 'flights' },
  'millrace.endpoint.revision': {
    type: 'int',
    meaning: 'Revision of the endpoint that answered',
    example: '2',
  },
  'millrace.model.name': { type: 'string', meaning: 'Registered model', example: 'flights' },
  'millrace.model.version': { type: 'int', meaning: 'Version of the model', example: '3' },
  'millrace.prediction.id': {
    type: 'string',
    meaning: 'Id of the first prediction of the request, as the caller got it',
    example: 'pred_01k8…',
  },
  'millrace.prediction.count': {
    type: 'int',
    meaning: 'Rows of the request',
    example: '1',
  },
  'millrace.window.number': { type: 'int', meaning: 'Number of the monitoring window', example: '12' },
  'millrace.metric.count': { type: 'int', meaning: 'Values written together', example: '200' },
} as const satisfies Readonly<Record<string, AttributeDefinition>>;

export type OwnAttribute = keyof typeof ownAttributes;
