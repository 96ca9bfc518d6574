import { type CardSection, code, formatNumber, note, table } from '@millrace/cards';

/** A finished run of the experiment, as the leaderboard shows it. */
export interface LeaderboardRun {
  readonly id: string;
  readonly name: string;
  readonly estimator: string;
  /** The primary metric on validation; absent in a run that does not have it. */
  readonly value?: number;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
}

interface Objective {
  readonly metric: string;
  readonly greaterIsBetter: boolean;
}

/** This run beside the best ones of its experiment; the first of `runs` is this one. */
export const leaderboardSection = (
  runs: readonly LeaderboardRun[],
  { metric, greaterIsBetter }: Objective,
): CardSection | undefined => {
  const [latest] = runs;
  if (latest === undefined) return undefined;
  const sign = greaterIsBetter ? -1 : 1;
  const ranked = runs
    .filter(({ value }) => value !== undefined)
    .toSorted((a, b) => sign * ((a.value ?? 0) - (b.value ?? 0)) || (a.startedAt < b.startedAt ? -1 : 1));
  const places = [
    ['Latest', latest],
    ['Best', ranked[0]],
    ['2nd best', ranked[1]],
  ] as const;
  const position = ranked.indexOf(latest) + 1;
  return {
    title: 'Leaderboard',
    content: [
      table({
        columns: [
          { title: '' },
          { title: metric, numeric: true },
          { title: 'Estimator' },
          { title: 'Started' },
          { title: 'Run' },
        ],
        rows: places.flatMap(([place, run]) =>
          run === undefined
            ? []
            : [
                [
                  place,
                  formatNumber(run.value),
                  run.estimator,
                  run.startedAt.slice(0, 16).replace('T', ' '),
                  code(run === latest ? `${run.name} (this run)` : run.name),
                ],
              ],
        ),
        strong: new Set([0]),
      }),
      note(
        position === 0
          ? `On validation rows, of ${formatNumber(ranked.length)} runs of the experiment.`
          : `On validation rows. This run is number ${formatNumber(position)} of ${formatNumber(ranked.length)} of the experiment.`,
      ),
    ],
  };
};
