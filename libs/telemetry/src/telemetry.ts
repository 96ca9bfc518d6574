import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Context,
  context,
  isSpanContextValid,
  metrics,
  propagation,
  type Span,
  type SpanOptions,
  TraceFlags,
  type Tracer,
  type TracerProvider as TracerProviderApi,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  type ExportResult,
  ExportResultCode,
  isTracingSuppressed,
  W3CTraceContextPropagator,
} from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type SpanExporter,
  type SpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import {
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_NAMESPACE,
} from '@opentelemetry/semantic-conventions';
import { createLogger } from './logger.ts';
import { startMetrics } from './metrics.ts';
import { isRecorded } from './propagation.ts';
import { type Sampling, samplingOf } from './sampling.ts';
import { activeService } from './service-context.ts';
import { type ExportNotice, WatchedExporter } from './span-export.ts';
import { type SpanSink, toSpanRecord } from './span-record.ts';
import { ForcedIdGenerator } from './spans.ts';

export interface TelemetryOptions {
  /** Name of spans made outside any service. */
  readonly defaultService: string;
  /**
   * The standard `OTEL_*` variables: an OTLP endpoint adds an exporter, `OTEL_SDK_DISABLED=true` turns tracing
   * off, `OTEL_TRACES_SAMPLER_ARG` is the share of new traces recorded (0 to 1, default 1). `MILLRACE_LOG_LEVEL`
   * and `MILLRACE_LOG_FILE` say where it is told that spans cannot be exported.
   */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Telemetry {
  /** Sends out what is buffered. */
  flush(): Promise<void>;
  /** Flushes, for a few seconds at most, and takes tracing and metrics down. */
  shutdown(): Promise<void>;
}

/** How long finished spans wait to be sent together. Milliseconds. */
const batchDelayMs = 200;
/** Spans of all services of the process that wait for an exporter; more are dropped. */
const maxWaitingSpans = 8192;
/** A collector that does not answer must not keep a process from ending. Milliseconds. */
const shutdownMs = 3_000;

const sinks = new Set<SpanSink>();

/** Also hands finished spans to `sink`; returns how to stop it. */
export const exportTo = (sink: SpanSink): (() => void) => {
  sinks.add(sink);
  return () => sinks.delete(sink);
};

class SinkExporter implements SpanExporter {
  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    const records = spans.map(toSpanRecord);
    for (const sink of sinks) sink(records);
    done({ code: ExportResultCode.SUCCESS });
  }

  async shutdown(): Promise<void> {}
}

const noticeLogger = (env: TelemetryOptions['env']): ((notice: ExportNotice) => void) => {
  const log = createLogger(env.MILLRACE_LOG_LEVEL ?? 'info', env.MILLRACE_LOG_FILE);
  return (notice) => {
    if (notice.state === 'failing') {
      log.warn({ reason: notice.reason }, 'spans cannot be exported; those that find no room are dropped');
    } else {
      log.info({ lost: notice.lost }, 'spans are exported again');
    }
  };
};

/** Shared by the services of a process, so that what waits is bounded whatever their number. */
const processorsOf = (env: TelemetryOptions['env']): readonly SpanProcessor[] => {
  const batched = (exporter: SpanExporter): SpanProcessor =>
    new BatchSpanProcessor({ exporter, scheduledDelayMillis: batchDelayMs, maxQueueSize: maxWaitingSpans });
  const otlp = env.OTEL_EXPORTER_OTLP_ENDPOINT ?? env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  return [
    batched(new SinkExporter()),
    ...(otlp === undefined ? [] : [batched(new WatchedExporter(new OTLPTraceExporter(), noticeLogger(env)))]),
  ];
};

/** One SDK provider per service, chosen by the context that a span is started in. */
class ServiceTracerProvider implements TracerProviderApi {
  readonly #defaultService: string;
  readonly #sampling: Sampling;
  readonly #ids = new ForcedIdGenerator();
  readonly #processors: readonly SpanProcessor[];
  readonly #providers = new Map<string, TracerProvider>();
  readonly #tracers = new Map<string, Tracer>();

  constructor({ defaultService, env }: TelemetryOptions) {
    this.#defaultService = defaultService;
    this.#sampling = samplingOf(env);
    this.#processors = processorsOf(env);
  }

  getTracer(name: string, version = ''): Tracer {
    const key = `${name}@${version}`;
    const known = this.#tracers.get(key) ?? this.#newTracer(name, version);
    this.#tracers.set(key, known);
    return known;
  }

  #newTracer(name: string, version: string): Tracer {
    const tracers = new Map<string, Tracer>();
    const tracerFor = (ctx: Context): Tracer => {
      const service = activeService(ctx) ?? this.#defaultService;
      const known = tracers.get(service) ?? this.#provider(service).getTracer(name, version);
      tracers.set(service, known);
      return known;
    };
    return {
      startSpan: (spanName: string, options?: SpanOptions, ctx: Context = context.active()): Span =>
        this.#unrecorded(options, ctx) ?? tracerFor(ctx).startSpan(spanName, options, ctx),
      // The overloads of the API only differ in which arguments are left out.
      startActiveSpan: ((spanName: string, ...rest: unknown[]) => {
        const ctx = rest.length === 3 ? (rest[1] as Context) : context.active();
        const options = rest.length > 1 ? (rest[0] as SpanOptions) : undefined;
        const span = this.#unrecorded(options, ctx);
        if (span !== undefined) {
          const work = rest.at(-1) as (span: Span) => unknown;
          return context.with(trace.setSpan(ctx, span), work, undefined, span);
        }
        return (tracerFor(ctx).startActiveSpan as (...args: unknown[]) => unknown)(spanName, ...rest);
      }) as Tracer['startActiveSpan'],
    };
  }

  /**
   * What stands for a span of a trace that is not recorded, at next to no cost: the parent, where its beginning decided so and
   * nothing can change that; else a beginning beyond the limits, which has ids, for logs and for what it calls, and no more.
   */
  #unrecorded(options: SpanOptions | undefined, ctx: Context): Span | undefined {
    const parent = options?.root === true ? undefined : trace.getSpan(ctx);
    const parentContext = parent?.spanContext();
    if (parentContext !== undefined && isSpanContextValid(parentContext)) {
      return isRecorded(parentContext) ? undefined : parent;
    }
    if (isTracingSuppressed(ctx) || !this.#sampling.isSpent(ctx)) return undefined;
    return trace.wrapSpanContext({
      traceId: this.#ids.generateTraceId(),
      spanId: this.#ids.generateSpanId(),
      traceFlags: TraceFlags.NONE,
    });
  }

  async flush(): Promise<void> {
    await Promise.all(this.#processors.map((processor) => processor.forceFlush()));
  }

  async shutdown(): Promise<void> {
    const ended = Promise.allSettled(this.#processors.map((processor) => processor.shutdown()));
    const patience = new AbortController();
    await Promise.race([ended, sleep(shutdownMs, undefined, { signal: patience.signal, ref: false })]);
    patience.abort();
  }

  #provider(service: string): TracerProvider {
    let provider = this.#providers.get(service);
    if (provider === undefined) {
      provider = new TracerProvider({
        resource: resourceFromAttributes({
          [ATTR_SERVICE_NAME]: service,
          [ATTR_SERVICE_NAMESPACE]: 'millrace',
          [ATTR_SERVICE_INSTANCE_ID]: `${hostname()}:${process.pid}`,
        }),
        idGenerator: this.#ids,
        sampler: this.#sampling.sampler,
        spanProcessors: [...this.#processors],
      });
      this.#providers.set(service, provider);
    }
    return provider;
  }
}

/** Installs tracing, propagation and metrics for this process. Call once, before anything is traced. */
export const startTelemetry = (options: TelemetryOptions): Telemetry => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  startMetrics();
  if (options.env.OTEL_SDK_DISABLED === 'true') {
    return { flush: async () => {}, shutdown: async () => {} };
  }
  const provider = new ServiceTracerProvider(options);
  trace.setGlobalTracerProvider(provider);
  return {
    flush: () => provider.flush(),
    shutdown: async () => {
      await provider.shutdown();
      trace.disable();
      context.disable();
      propagation.disable();
      metrics.disable();
    },
  };
};
