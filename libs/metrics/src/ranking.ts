import { orderBy } from './regression.ts';

/** Rows ordered by falling score, with the ends of the groups of equal scores: shared by all ranking metrics. */
export interface Ranking {
  readonly descending: Uint32Array;
  /** Position after the last row of each group of equal scores. */
  readonly groupEnds: Uint32Array;
}

export const rankByScore = (scores: Float64Array): Ranking => {
  const descending = orderBy(scores).reverse();
  const ends: number[] = [];
  for (let position = 1; position <= descending.length; position++) {
    const last = position === descending.length;
    if (last || scores[descending[position]!] !== scores[descending[position - 1]!]) ends.push(position);
  }
  return { descending, groupEnds: Uint32Array.from(ends) };
};

export interface RankingScores {
  /** Area under the ROC curve (trapezoids over groups of equal scores); `NaN` with one class only. */
  readonly rocAuc: number;
  /** Average precision, Σ (Rₙ − Rₙ₋₁) Pₙ; `NaN` without positives. */
  readonly averagePrecision: number;
  readonly positives: number;
}

/** One pass over the ranking; `target[row] === positive` marks the positives. */
export const rankingScores = (
  ranking: Ranking,
  target: Int32Array,
  positive: number,
  weights?: Float64Array,
): RankingScores => {
  let truePositives = 0;
  let falsePositives = 0;
  let area = 0;
  let precisionSum = 0;
  let position = 0;
  for (const end of ranking.groupEnds) {
    let groupPositives = 0;
    let groupNegatives = 0;
    for (; position < end; position++) {
      const row = ranking.descending[position]!;
      const weight = weights === undefined ? 1 : weights[row]!;
      if (target[row] === positive) groupPositives += weight;
      else groupNegatives += weight;
    }
    area += groupNegatives * (truePositives + groupPositives / 2);
    truePositives += groupPositives;
    falsePositives += groupNegatives;
    if (groupPositives > 0) {
      precisionSum += (groupPositives * truePositives) / (truePositives + falsePositives);
    }
  }
  return {
    rocAuc: area / (truePositives * falsePositives),
    averagePrecision: precisionSum / truePositives,
    positives: truePositives,
  };
};
