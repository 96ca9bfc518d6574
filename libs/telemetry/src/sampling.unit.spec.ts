import { context, ROOT_CONTEXT, type SpanContext, SpanKind, TraceFlags, trace } from '@opentelemetry/api';
import { SamplingDecision } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { newTraceId } from './index.ts';
import { asHighRate, asUnlimited, type Sampling, type SamplingEnv, samplingOf } from './sampling.ts';

let second = 0;
const isRecorded = ({ sampler }: Sampling, ctx = ROOT_CONTEXT, traceId = newTraceId()) =>
  sampler.shouldSample(ctx, traceId, 'work', SpanKind.INTERNAL, {}, []).decision ===
  SamplingDecision.RECORD_AND_SAMPLED;

const samplerWith = (env: SamplingEnv) =>
  samplingOf({ MILLRACE_TRACES_PER_SECOND: 'Infinity', ...env }, () => second * 1_000);

const shareOf = (env: SamplingEnv): number => {
  const sampling = samplerWith(env);
  const ids = Array.from({ length: 2_000 }, newTraceId);
  return ids.filter((id) => isRecorded(sampling, ROOT_CONTEXT, id)).length / ids.length;
};

const childOf = (traceFlags: TraceFlags) => {
  const parent: SpanContext = { traceId: newTraceId(), spanId: '1'.repeat(16), traceFlags, isRemote: true };
  return trace.setSpanContext(context.active(), parent);
};

describe('new traces', () => {
  it.each([
    [{}, 1],
    [{ OTEL_TRACES_SAMPLER_ARG: '0' }, 0],
    [{ OTEL_TRACES_SAMPLER: 'parentbased_always_off' }, 0],
    [{ OTEL_TRACES_SAMPLER: 'always_on', OTEL_TRACES_SAMPLER_ARG: '0' }, 1],
    [{ OTEL_TRACES_SAMPLER_ARG: 'many' }, 1],
    [{ OTEL_TRACES_SAMPLER_ARG: '-3' }, 1],
  ])('are recorded as %j says', (env, share) => expect(shareOf(env)).toBe(share));

  it('are recorded in the share asked for, the same ones in each process', () => {
    const env = { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' };
    expect(shareOf(env)).toBeGreaterThan(0.15);
    expect(shareOf(env)).toBeLessThan(0.35);
    const [one, other] = [samplerWith(env), samplerWith(env)];
    for (let i = 0; i < 200; i += 1) {
      const id = newTraceId();
      expect(isRecorded(one, ROOT_CONTEXT, id)).toBe(isRecorded(other, ROOT_CONTEXT, id));
    }
  });

  it('follow what the caller decided, whatever is asked for here', () => {
    for (const arg of ['0', '1']) {
      const sampling = samplerWith({ OTEL_TRACES_SAMPLER_ARG: arg });
      expect(isRecorded(sampling, childOf(TraceFlags.SAMPLED))).toBe(true);
      expect(isRecorded(sampling, childOf(TraceFlags.NONE))).toBe(false);
      expect(isRecorded(sampling, asHighRate(childOf(TraceFlags.SAMPLED)))).toBe(true);
    }
  });

  it('of high-rate work are recorded so many times a second', () => {
    const sampling = samplerWith({ MILLRACE_TRACE_PREDICTIONS_PER_SECOND: '3' });
    const recorded = () =>
      Array.from({ length: 100 }, () => isRecorded(sampling, asHighRate(ROOT_CONTEXT))).filter(Boolean)
        .length;
    for (second = 10; second < 13; second += 1) expect(recorded()).toBe(3);
    expect(isRecorded(sampling)).toBe(true);
  });

  it('of all other work, too, by a limit of their own', () => {
    const sampling = samplerWith({
      MILLRACE_TRACES_PER_SECOND: '4',
      MILLRACE_TRACE_PREDICTIONS_PER_SECOND: '1',
    });
    const recorded = () => Array.from({ length: 100 }, () => isRecorded(sampling)).filter(Boolean).length;
    for (second = 20; second < 23; second += 1) {
      expect(sampling.isSpent(ROOT_CONTEXT)).toBe(false);
      expect(recorded()).toBe(4);
      expect(sampling.isSpent(ROOT_CONTEXT)).toBe(true);
      expect(sampling.isSpent(asHighRate(ROOT_CONTEXT))).toBe(false);
      expect(isRecorded(sampling, asHighRate(ROOT_CONTEXT))).toBe(true);
      expect(isRecorded(sampling, childOf(TraceFlags.SAMPLED))).toBe(true);
    }
  });

  it('are fifty a second at most by default, but for work that is looked for afterwards', () => {
    const sampling = samplingOf({}, () => 0);
    const recorded = (ctx = ROOT_CONTEXT) =>
      Array.from({ length: 300 }, () => isRecorded(sampling, ctx)).filter(Boolean);
    expect(recorded()).toHaveLength(50);
    expect(recorded(asUnlimited(ROOT_CONTEXT))).toHaveLength(300);
    expect(sampling.isSpent(asUnlimited(ROOT_CONTEXT))).toBe(false);
  });
});
