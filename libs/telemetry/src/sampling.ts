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

/** New traces of high-rate work that are recorded each second, unless `MILLRACE_TRACE_PREDICTIONS_PER_SECOND` says otherwise. */
const defaultLimitPerSecond = 5;

const limitedKey = createContextKey('millrace.high_rate');

/** Marks work that may come thousands of times a second: only so many new traces of it a second are recorded. */
export const asHighRate = (ctx: Context): Context => ctx.setValue(limitedKey, true);

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
    const second = Math.floor(this.#now() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#left = this.#perSecond;
    }
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}

/** Samples new traces by another sampler, those of high-rate work by a limit per second on top. */
class LimitedSampler implements Sampler {
  readonly #others: Sampler;
  readonly #limit: RateLimit;

  constructor(others: Sampler, limit: RateLimit) {
    this.#others = others;
    this.#limit = limit;
  }

  shouldSample(
    ctx: Context,
    traceId: string,
    name: string,
    kind: SpanKind,
    attributes: Attributes,
    links: Link[],
  ): SamplingResult {
    const result = this.#others.shouldSample(ctx, traceId, name, kind, attributes, links);
    const isHighRate = ctx.getValue(limitedKey) === true;
    if (!isHighRate || result.decision === SamplingDecision.NOT_RECORD || this.#limit.take()) return result;
    return { decision: SamplingDecision.NOT_RECORD };
  }

  toString(): string {
    return `LimitedSampler{${this.#others}}`;
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

/**
 * The sampler that the standard variables ask for. Whatever they say, a span whose parent was decided on elsewhere
 * follows that decision: half a trace helps nobody.
 */
export const samplerOf = (env: SamplingEnv, now: () => number = Date.now): Sampler => {
  const perSecond = numberOf(
    env.MILLRACE_TRACE_PREDICTIONS_PER_SECOND,
    defaultLimitPerSecond,
    (value) => value >= 0,
  );
  return new ParentBasedSampler({
    root: new LimitedSampler(rootSamplerOf(env), new RateLimit(perSecond, now)),
  });
};
