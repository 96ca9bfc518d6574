import type { ScoringStepName, StepName } from '../types.ts';

/** What is fixed about a step, whatever the recipe says. */
export interface StepDefinition {
  /** Service that does it. */
  readonly service: string;
  /** Earlier steps whose outputs it reads. */
  readonly needs: readonly (StepName | ScoringStepName)[];
  /** Keys of the recipe outside its section that change what it does. */
  readonly context: readonly ContextKey[];
  /** Whether it draws random numbers. */
  readonly seeded: boolean;
}

export type ContextKey =
  | 'task'
  | 'target_col'
  | 'positive_class'
  | 'primary_metric'
  | 'custom_metrics'
  | 'experiment';

const data: readonly ContextKey[] = ['task', 'target_col', 'positive_class'];
const metrics: readonly ContextKey[] = ['primary_metric', 'custom_metrics'];

/** The steps in the order of their execution: those of training, then those of batch scoring. */
export const stepCatalogue: Readonly<Record<StepName | ScoringStepName, StepDefinition>> = {
  ingest: { service: 'ingest', needs: [], context: data, seeded: false },
  split: { service: 'ingest', needs: ['ingest'], context: data, seeded: true },
  transform: { service: 'training', needs: ['ingest', 'split'], context: data, seeded: true },
  train: {
    service: 'training',
    needs: ['ingest', 'split', 'transform'],
    context: [...data, ...metrics, 'experiment'],
    seeded: true,
  },
  evaluate: {
    service: 'evaluation',
    needs: ['ingest', 'split', 'transform', 'train'],
    context: [...data, ...metrics],
    seeded: true,
  },
  register: {
    service: 'registry',
    needs: ['ingest', 'split', 'transform', 'train', 'evaluate'],
    context: ['task'],
    seeded: false,
  },
  deploy: { service: 'deployment', needs: ['train', 'evaluate', 'register'], context: [], seeded: false },
  monitor: {
    service: 'monitoring',
    needs: ['ingest', 'split', 'train', 'evaluate', 'register', 'deploy'],
    context: data,
    seeded: false,
  },
  ingest_scoring: { service: 'ingest', needs: [], context: [], seeded: false },
  predict: { service: 'deployment', needs: ['ingest_scoring'], context: [], seeded: false },
};
