import { asMillraceError, ErrorCode } from '@millrace/errors';
import type { ChampionFacts } from '../domain/decide-gates.ts';
import type { Measurement } from '../domain/measurement.ts';
import type { Champion, EvaluationContext } from './ports.ts';
import type { EvaluateRequest } from './request.ts';

/** The champion that the model is compared with, if there is one. */
export interface Comparison {
  readonly champion?: Champion;
  readonly warnings: readonly string[];
}

/** How long a registry that no gate asks for may keep the evaluation waiting. */
const patienceMs = 2_000;
const neededMs = 20_000;

/**
 * Asks the registry for the champion. A registry that does not answer fails the step only when a gate needs the
 * champion: without one, the comparison is just left out.
 */
export const findComparison = async (
  { findChampion }: EvaluationContext,
  { identity: { modelName }, plan }: EvaluateRequest,
  signal: AbortSignal,
): Promise<Comparison> => {
  if (modelName === '') return { warnings: [] };
  const needed = plan.gates.some(({ kind }) => kind === 'champion');
  try {
    const champion = await findChampion(modelName, { timeoutMs: needed ? neededMs : patienceMs, signal });
    return champion === undefined ? { warnings: [] } : { champion, warnings: [] };
  } catch (thrown) {
    const error = asMillraceError(thrown);
    if (needed || signal.aborted || !isAbsence(error.code)) throw error;
    return { warnings: [`not compared with the champion of "${modelName}": ${error.message}`] };
  }
};

const isAbsence = (code: ErrorCode): boolean => code === ErrorCode.unavailable || code === ErrorCode.timedOut;

/** What the gates and the card are told of the champion. */
export const championFacts = (
  { champion }: Comparison,
  measurement: Pick<Measurement, 'champion' | 'championProblem'>,
): ChampionFacts => {
  if (champion === undefined) return { kind: 'none' };
  const { reference } = champion;
  if (measurement.champion === undefined) {
    return {
      kind: 'not_comparable',
      reference,
      reason: measurement.championProblem ?? 'it was not measured',
    };
  }
  return { kind: 'compared', reference, ...measurement.champion };
};
