import type { EnvironmentFacts } from '@millrace/cards';
import type { EvaluateRequest } from '../application/request.ts';
import type { ChampionFacts, GateOutcome, Verdict } from '../domain/decide-gates.ts';
import type { Measurement } from '../domain/measurement.ts';

/** All that the card shows. */
export interface Evaluation {
  readonly request: Pick<EvaluateRequest, 'identity' | 'reportId' | 'catalog' | 'seed' | 'targetColumn'>;
  readonly measurement: Measurement;
  readonly outcomes: readonly GateOutcome[];
  readonly verdict: Verdict;
  readonly champion: ChampionFacts;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly warnings: readonly string[];
  /** What the model was made with; absent in a package that does not say. */
  readonly environment?: EnvironmentFacts;
}
