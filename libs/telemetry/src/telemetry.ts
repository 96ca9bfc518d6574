import {
  type Context,
  context,
  metrics,
  propagation,
  type Span,
  type SpanOptions,
  type Tracer,
  type TracerProvider as TracerProviderApi,
  trace,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { type ExportResult, ExportResultCode, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type SpanExporter,
  type SpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions';
import { startMetrics } from './metrics.ts';
import { activeService } from './service-context.ts';
import { type SpanSink, toSpanRecord } from './span-record.ts';
import { ForcedIdGenerator } from './spans.ts';

export interface TelemetryOptions {
  /** Name of spans made outside any service. */
  readonly defaultService: string;
  /**
   * The standard `OTEL_*` variables: an OTLP endpoint adds an exporter, `OTEL_SDK_DISABLED=true` turns tracing
   * off, `OTEL_TRACES_SAMPLER_ARG` is the share of new traces recorded (0 to 1, default 1).
   */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Telemetry {
  /** Sends out what is buffered. */
  flush(): Promise<void>;
  shutdown(): Promise<void>;
}

/** How long finished spans wait to be sent together. Milliseconds. */
const batchDelayMs = 200;

const sinks = new Set<SpanSink>();

/** Also hands finished spans to `sink`; returns how to stop it. */
export const exportTo = (sink: SpanSink): (() => void) => {
  sinks.add(sink);
  return () => sinks.delete(sink);
};

class SinkExporter implements SpanExporter {
  readonly #service: string;

  constructor(service: string) {
    this.#service = service;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    const records = spans.map((span) => toSpanRecord(span, this.#service));
    for (const sink of sinks) sink(records);
    done({ code: ExportResultCode.SUCCESS });
  }

  async shutdown(): Promise<void> {}
}

/** One SDK provider per service, chosen by the context that a span is started in. */
class ServiceTracerProvider implements TracerProviderApi {
  readonly #options: TelemetryOptions;
  readonly #providers = new Map<string, TracerProvider>();

  constructor(options: TelemetryOptions) {
    this.#options = options;
  }

  getTracer(name: string, version?: string): Tracer {
    const tracerFor = (ctx: Context) =>
      this.#provider(activeService(ctx) ?? this.#options.defaultService).getTracer(name, version);
    return {
      startSpan: (spanName: string, options?: SpanOptions, ctx: Context = context.active()): Span =>
        tracerFor(ctx).startSpan(spanName, options, ctx),
      // The overloads of the API only differ in which arguments are left out.
      startActiveSpan: ((spanName: string, ...rest: unknown[]) => {
        const ctx = rest.length === 3 ? (rest[1] as Context) : context.active();
        return (tracerFor(ctx).startActiveSpan as (...args: unknown[]) => unknown)(spanName, ...rest);
      }) as Tracer['startActiveSpan'],
    };
  }

  async flush(): Promise<void> {
    await Promise.all([...this.#providers.values()].map((provider) => provider.forceFlush()));
  }

  async shutdown(): Promise<void> {
    await Promise.all([...this.#providers.values()].map((provider) => provider.shutdown()));
  }

  #provider(service: string): TracerProvider {
    let provider = this.#providers.get(service);
    if (provider === undefined) {
      provider = this.#create(service);
      this.#providers.set(service, provider);
    }
    return provider;
  }

  #create(service: string): TracerProvider {
    const { env } = this.#options;
    const batched = (exporter: SpanExporter): SpanProcessor =>
      new BatchSpanProcessor({ exporter, scheduledDelayMillis: batchDelayMs, maxQueueSize: 8192 });
    const otlp = env.OTEL_EXPORTER_OTLP_ENDPOINT ?? env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
    return new TracerProvider({
      resource: resourceFromAttributes({
        [ATTR_SERVICE_NAME]: service,
        'service.namespace': 'millrace',
      }),
      idGenerator: new ForcedIdGenerator(),
      sampler: new ParentBasedSampler({
        root: new TraceIdRatioBasedSampler(Number(env.OTEL_TRACES_SAMPLER_ARG ?? 1)),
      }),
      spanProcessors: [
        batched(new SinkExporter(service)),
        ...(otlp === undefined ? [] : [batched(new OTLPTraceExporter())]),
      ],
    });
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
