import {
  type Attributes,
  type Context,
  createContextKey,
  type Link,
  type SpanKind,
} from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  type SamplingResult,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace';

export type SamplingEnv = Readonly<Record<string, string | undefined>>;

/**
 * New traces that are recorded each second, unless the variables say otherwise: of high-rate work
 * (`MILLRACE_TRACE_PREDICTIONS_PER_SECOND`) and of all else (`MILLRACE_TRACES_PER_SECOND`).
 */
const defaultPerSecond = { highRate: 5, others: 50 };

const limitKey = createContextKey('millrace.trace_limit');

/** Marks work that may come thousands of times a second: only so many new traces of it a second are recorded. */
export const asHighRate = (ctx: Context): Context => ctx.setValue(limitKey, 'highRate');

/** Marks work that is rare and looked for afterwards, such as a pipeline run: no limit keeps its trace from being recorded. */
export const asUnlimited = (ctx: Context): Context => ctx.setValue(limitKey, 'unlimited');

/** Lets the first `perSecond` pass in each second. */
class RateLimit {
  readonly #perSecond: number;
  readonly #now: () => number;
  #second = Number.NaN;
  #left = 0;

  constructor(perSecond: number, now: () => number) {
    this.#perSecond = perSecond;
    this.#now = now;
  }

  take(): boolean {
    if (this.isSpent()) return false;
    this.#left -= 1;
    return true;
  }

  /** Nothing more passes in this second. */
  isSpent(): boolean {
    const second = Math.floor(this.#now() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#left = this.#perSecond;
    }
    return this.#left < 1;
  }
}

interface Limits {
  readonly highRate: RateLimit;
  readonly unlimited: RateLimit;
  readonly others: RateLimit;
}

/**
 * Samples new traces by another sampler, and no more of them a second than the limits let pass: nobody reads thousands, and
 * what they cost is bounded so.
 */
class LimitedSampler implements Sampler {
  readonly #inner: Sampler;
  readonly #limits: Limits;

  constructor(inner: Sampler, limits: Limits) {
    this.#inner = inner;
    this.#limits = limits;
  }

  shouldSample(
    ctx: Context,
    traceId: string,
    name: string,
    kind: SpanKind,
    attributes: Attributes,
    links: Link[],
  ): SamplingResult {
    const result = this.#inner.shouldSample(ctx, traceId, name, kind, attributes, links);
    if (result.decision === SamplingDecision.NOT_RECORD) return result;
    return this.#limitOf(ctx).take() ? result : { decision: SamplingDecision.NOT_RECORD };
  }

  /** No new trace that begins in this context now will be recorded. */
  isSpent(ctx: Context): boolean {
    return this.#limitOf(ctx).isSpent();
  }

  #limitOf(ctx: Context): RateLimit {
    const name = ctx.getValue(limitKey) as keyof Limits | undefined;
    return this.#limits[name ?? 'others'];
  }

  toString(): string {
    return `LimitedSampler{${this.#inner}}`;
  }
}

const numberOf = (text: string | undefined, fallback: number, isAllowed: (value: number) => boolean) => {
  const value = text === undefined || text.trim() === '' ? fallback : Number(text);
  return isAllowed(value) ? value : fallback;
};

/** The share of new traces to record, 0 to 1. What cannot be read counts as unset, as OpenTelemetry asks for. */
const ratioOf = (env: SamplingEnv): number =>
  numberOf(env.OTEL_TRACES_SAMPLER_ARG, 1, (value) => value >= 0 && value <= 1);

const rootSamplerOf = (env: SamplingEnv): Sampler => {
  const kind = env.OTEL_TRACES_SAMPLER ?? '';
  if (kind.endsWith('always_off')) return new AlwaysOffSampler();
  if (kind.endsWith('always_on')) return new AlwaysOnSampler();
  return new TraceIdRatioBasedSampler(ratioOf(env));
};

export interface Sampling {
  readonly sampler: Sampler;
  /** Whether it is known already that a trace which begins in this context will not be recorded. */
  readonly isSpent: (ctx: Context) => boolean;
}

/**
 * The sampling that the standard variables ask for. Whatever they say, a span whose parent was decided on elsewhere
 * follows that decision: half a trace helps nobody.
 */
export const samplingOf = (env: SamplingEnv, now: () => number = Date.now): Sampling => {
  const limit = (text: string | undefined, fallback: number) =>
    new RateLimit(
      numberOf(text, fallback, (value) => value >= 0),
      now,
    );
  const root = new LimitedSampler(rootSamplerOf(env), {
    highRate: limit(env.MILLRACE_TRACE_PREDICTIONS_PER_SECOND, defaultPerSecond.highRate),
    unlimited: new RateLimit(Number.POSITIVE_INFINITY, now),
    others: limit(env.MILLRACE_TRACES_PER_SECOND, defaultPerSecond.others),
  });
  return { sampler: new ParentBasedSampler({ root }), isSpent: (ctx) => root.isSpent(ctx) };
};
