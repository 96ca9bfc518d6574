import { Invalid } from '@millrace/errors';
import { createRandom, type Random } from '@millrace/random';
import { type Draw, drawFrom, type SearchSpace, valueAt } from './space.ts';
import { proposeDraw } from './tpe.ts';

export const searchAlgorithms = ['grid', 'random', 'tpe'] as const;
export type SearchAlgorithm = (typeof searchAlgorithms)[number];

/** One setting to try. */
export interface Suggestion {
  /** From 0 in the order of suggestion. */
  readonly trial: number;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Ends a search whose last `patience` trials did not improve the best loss by more than `minDelta`. */
export interface EarlyStop {
  readonly patience: number;
  readonly minDelta: number;
}

export interface SearchOptions {
  readonly space: SearchSpace;
  readonly algorithm: SearchAlgorithm;
  /** For a grid the number of its points is the limit too. */
  readonly maxTrials: number;
  readonly seed: number;
  readonly earlyStop?: EarlyStop;
}

/** A search in rounds. What it suggests depends on the seed and on the losses told, never on their timing. */
export interface Search {
  /** How many trials there will be at most. */
  readonly limit: number;
  /** Up to `count` settings, to be tried at the same time; none when the search is over. */
  suggest(count: number): Suggestion[];
  /** The loss of a trial, lower is better; `undefined` when it failed. All of a round before the next. */
  tell(trial: number, loss: number | undefined): void;
  /** Whether it ended before `limit` because nothing improved any more. */
  readonly stoppedEarly: boolean;
}

/** Trials drawn at random before the estimator has something to learn from. */
const startupTrials = 10;
/** Share of the trials that count as good, and the most of them. */
const goodShare = 0.1;
const mostGood = 25;

/** Throws `Invalid` when a grid is asked for over a distribution. */
export const createSearch = (options: SearchOptions): Search =>
  options.algorithm === 'grid' ? new GridSearch(options) : new DrawnSearch(options);

abstract class RoundSearch implements Search {
  readonly #earlyStop: EarlyStop | undefined;
  #suggested = 0;
  #best = Number.POSITIVE_INFINITY;
  #withoutImprovement = 0;

  constructor({ earlyStop }: SearchOptions) {
    this.#earlyStop = earlyStop;
  }

  abstract readonly limit: number;
  protected abstract next(trial: number): Readonly<Record<string, unknown>>;

  get stoppedEarly(): boolean {
    return this.#earlyStop !== undefined && this.#withoutImprovement >= this.#earlyStop.patience;
  }

  suggest(count: number): Suggestion[] {
    const left = this.stoppedEarly ? 0 : Math.min(count, this.limit - this.#suggested);
    return Array.from({ length: left }, () => {
      const trial = this.#suggested;
      this.#suggested += 1;
      return { trial, params: this.next(trial) };
    });
  }

  tell(_trial: number, loss: number | undefined): void {
    const improved = loss !== undefined && loss < this.#best - (this.#earlyStop?.minDelta ?? 0);
    this.#withoutImprovement = improved ? 0 : this.#withoutImprovement + 1;
    if (improved) this.#best = loss;
  }
}

/** Every combination of values, the last parameter fastest. */
class GridSearch extends RoundSearch {
  readonly #axes: readonly (readonly [name: string, values: readonly unknown[]])[];
  readonly limit: number;

  constructor(options: SearchOptions) {
    super(options);
    this.#axes = Object.entries(options.space).map(([name, dimension]) => {
      if (dimension.kind === 'choice') return [name, dimension.values] as const;
      throw Invalid.field(`tuning.parameters.${name}`, 'a grid needs values, not a distribution');
    });
    const points = this.#axes.reduce((product, [, values]) => product * values.length, 1);
    this.limit = Math.min(points, options.maxTrials);
  }

  protected override next(trial: number): Readonly<Record<string, unknown>> {
    let left = trial;
    const entries = this.#axes.toReversed().map(([name, values]) => {
      const value = values[left % values.length];
      left = Math.floor(left / values.length);
      return [name, value] as const;
    });
    return Object.fromEntries(entries.reverse());
  }
}

type Draws = Readonly<Record<string, Draw>>;

/** Random search, and the Parzen estimator on top of it. */
class DrawnSearch extends RoundSearch {
  readonly #options: SearchOptions;
  readonly #draws: Draws[] = [];
  readonly #losses: { readonly trial: number; readonly loss: number }[] = [];
  readonly limit: number;

  constructor(options: SearchOptions) {
    super(options);
    this.#options = options;
    this.limit = options.maxTrials;
  }

  override tell(trial: number, loss: number | undefined): void {
    super.tell(trial, loss);
    if (loss !== undefined) this.#losses.push({ trial, loss });
  }

  protected override next(trial: number): Readonly<Record<string, unknown>> {
    const { space, seed } = this.#options;
    // A stream per trial: what one trial draws does not depend on how many others drew.
    const random = createRandom(seed).derive(`search/${trial}`);
    const modelled = this.#options.algorithm === 'tpe' && this.#losses.length >= startupTrials;
    const draws = modelled ? this.#propose(random) : this.#drawAll(random);
    this.#draws[trial] = draws;
    return Object.fromEntries(
      Object.entries(space).map(([name, dimension]) => [name, valueAt(dimension, draws[name] ?? 0)]),
    );
  }

  #drawAll(random: Random): Draws {
    return Object.fromEntries(
      Object.entries(this.#options.space).map(([name, dimension]) => [name, drawFrom(dimension, random)]),
    );
  }

  #propose(random: Random): Draws {
    const ranked = [...this.#losses]
      .sort((a, b) => a.loss - b.loss || a.trial - b.trial)
      .map(({ trial }) => trial);
    const goodCount = Math.min(mostGood, Math.ceil(goodShare * ranked.length));
    const drawsOf = (trials: readonly number[], name: string) =>
      trials.flatMap((trial) => this.#draws[trial]?.[name] ?? []);
    return Object.fromEntries(
      Object.entries(this.#options.space).map(([name, dimension]) => {
        const split = {
          good: drawsOf(ranked.slice(0, goodCount), name),
          rest: drawsOf(ranked.slice(goodCount), name),
        };
        return [name, proposeDraw(dimension, split, random)];
      }),
    );
  }
}
