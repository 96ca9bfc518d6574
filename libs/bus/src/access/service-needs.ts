/** What one service wants of the bus. Its rights follow from it, and the consumers that a keeper makes for it. */
export interface ServiceNeeds {
  /** Durable consumers of events: the entities, `<service>.<entity>`, by the consumer's name; `all` for every event. */
  readonly consumers: Readonly<Record<string, readonly string[] | 'all'>>;
  /** Steps that it does: it takes their commands, and tells of progress. */
  readonly steps: readonly string[];
  /** Durable consumer of binary records, by the stream. */
  readonly records: Readonly<Partial<Record<'INFERENCE' | 'SPANS', string>>>;
  /** Hands out steps to all services. */
  readonly sendsCommands: boolean;
  readonly publishesInference: boolean;
  /** Reads any events, live and from the past, without a durable consumer. */
  readonly readsEvents: boolean;
  /** Hears of the progress of all steps. */
  readonly hearsProgress: boolean;
  /** Lists all dead letters and has them replayed. */
  readonly handlesDeadLetters: boolean;
}

const nothing: ServiceNeeds = {
  consumers: {},
  steps: [],
  records: {},
  sendsCommands: false,
  publishesInference: false,
  readsEvents: false,
  hearsProgress: false,
  handlesDeadLetters: false,
};

/**
 * The one table of who may do what on the bus. A service that needs more than it says here works on a broker without
 * accounts and fails on one with them; a test compares it with the consumers that the services make.
 */
export const serviceNeeds = {
  ingest: {
    ...nothing,
    steps: ['ingest', 'split'],
    consumers: { 'ingest-cancellations': ['pipeline.run'] },
  },
  training: {
    ...nothing,
    steps: ['transform', 'train'],
    consumers: {
      'training-cancellations': ['pipeline.run'],
      'training-orphans': ['pipeline.run'],
      'training-evaluations': ['evaluation.report'],
    },
  },
  evaluation: {
    ...nothing,
    steps: ['evaluate'],
    consumers: { 'evaluation-cancellations': ['pipeline.run'] },
  },
  registry: {
    ...nothing,
    steps: ['register'],
    consumers: {
      'registry-cancellations': ['pipeline.run'],
      'registry-aliases': ['deployment.deployment'],
      'registry-lineage': [
        'ingest.dataset_version',
        'training.run',
        'evaluation.report',
        'pipeline.run',
        'registry.model_version',
        'registry.alias',
        'deployment.deployment',
        'monitoring.alert',
      ],
      'registry-audit': [
        'registry.model_version',
        'registry.alias',
        'registry.policy',
        'registry.reaction',
        'deployment.deployment',
        'deployment.reaction',
        'pipeline.run',
        'pipeline.project',
        'pipeline.trigger',
        'pipeline.reaction',
        'pipeline.hold',
        'pipeline.garbage_collection',
        'gateway.token',
        'bridge.webhook',
        'ingest.dataset_version',
        'ingest.dataset_rejection',
        'evaluation.report',
        'monitoring.alert',
        'monitoring.monitor',
        'monitoring.reaction',
        'monitoring.retraining',
      ],
    },
  },
  deployment: {
    ...nothing,
    steps: ['deploy'],
    consumers: {
      'deployment-cancellations': ['pipeline.run'],
      'deployment-reactions': ['monitoring.alert', 'registry.alias'],
    },
    publishesInference: true,
  },
  monitoring: {
    ...nothing,
    steps: ['monitor'],
    consumers: {
      'monitoring-cancellations': ['pipeline.run'],
      'monitoring-deployments': ['deployment.deployment'],
    },
    records: { INFERENCE: 'monitoring-inference' },
  },
  pipeline: {
    ...nothing,
    consumers: {
      'pipeline-approvals': ['registry.model_version'],
      'pipeline-retraining': ['monitoring.retraining'],
      'pipeline-step-results': [
        'ingest.step',
        'training.step',
        'evaluation.step',
        'registry.step',
        'deployment.step',
        'monitoring.step',
      ],
    },
    sendsCommands: true,
    readsEvents: true,
  },
  gateway: {
    ...nothing,
    records: { SPANS: 'gateway-traces' },
    readsEvents: true,
    hearsProgress: true,
    handlesDeadLetters: true,
  },
  bridge: {
    ...nothing,
    consumers: { 'bridge-webhooks': 'all', 'bridge-kafka': 'all' },
    readsEvents: true,
  },
} as const satisfies Record<string, ServiceNeeds>;

/** Who has an account on the bus: each service, and who only looks at streams and consumers. */
export type BusUser = keyof typeof serviceNeeds;

export const busUsers = Object.keys(serviceNeeds) as BusUser[];

/** The needs of a service, in their common form. */
export const needsOf = (service: BusUser): ServiceNeeds => serviceNeeds[service];
