/**
 * What tracing costs: the same work with tracing on as by default (every request a trace up to the limits, spans kept by the
 * gateway, some of the predictions) and with `OTEL_SDK_DISABLED=true`. Pairs alternate A B B A; the cost is taken pair by
 * pair.
 *
 * The cost is that of processor time, user and system, for each unit of work by all processes of Millrace: work of a few
 * seconds spreads by more than tracing could ever cost when it is timed by the clock. The rates are shown beside it.
 *
 * - events: durable changes with their events and the effects of a consumer, each change in a span of its own, in a new
 *   process for each measurement;
 * - predict: predictions of one row through the gateway of an embedded Millrace, 32 clients;
 * - run: flights runs whose steps come from the cache, where nothing but the platform's own work is left.
 *
 * For the last two a Millrace of either kind is made ready once, and started anew for each measurement, so that nothing else
 * stands beside the one that is measured. What is measured is near what one measurement differs from the next by, hence the
 * many pairs; `MILLRACE_BENCH_PAIRS` sets their number for all three.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createClient, type MillraceClient } from '@millrace/client';
import { StepState } from '@millrace/contracts/pipeline';
import type { ProjectSnapshot } from '@millrace/contracts/step';
import { atMost, type Benchmark, type Figure, median, mustHold } from './harness/benchmark.ts';
import { inDirectory, startEmbedded } from './harness/embedded.ts';
import { endpoint, runFlights, stepsIn, uploadFlights, winterFlights } from './harness/flights.ts';
import { generateLoad } from './harness/load.ts';
import { processorMsOf } from './harness/process-tree.ts';
import { shortNumber } from './harness/report.ts';

const pairsOf = (usual: number): number => Number(process.env.MILLRACE_BENCH_PAIRS ?? usual);
const eventPairs = pairsOf(16);
const connections = 32;
const predictions = { pairs: pairsOf(6), warmUp: 5_000, measured: 15_000 };
const cachedRuns = { pairs: pairsOf(10), warmUp: 8, measured: 30 };
const lastCachedStep = 'register';
const cachedSteps = 6;
const target = atMost(5);

const kinds = ['on', 'off'] as const;
type Kind = (typeof kinds)[number];

const envOf = (env: NodeJS.ProcessEnv, kind: Kind): NodeJS.ProcessEnv =>
  kind === 'off' ? { ...env, OTEL_SDK_DISABLED: 'true' } : env;

/** One measurement of one kind. */
interface Spent {
  /** Units of work a second, by the clock. */
  readonly perSecond: number;
  /** Processor time for each unit, microseconds. */
  readonly cpuMicros: number;
}

type Pairs<T> = Record<Kind, readonly T[]>;

/** Measures both kinds in turns; which comes first alternates. */
const inPairs = async <T>(
  pairs: number,
  measure: (kind: Kind) => Promise<T>,
  note: (on: T, off: T) => void,
): Promise<Pairs<T>> => {
  const values: Record<Kind, T[]> = { on: [], off: [] };
  for (let i = 0; i < pairs; i += 1) {
    const measured = {} as Record<Kind, T>;
    for (const kind of i % 2 === 0 ? kinds : kinds.toReversed()) measured[kind] = await measure(kind);
    for (const kind of kinds) values[kind].push(measured[kind]);
    note(measured.on, measured.off);
  }
  return values;
};

const eventPath = async (env: NodeJS.ProcessEnv): Promise<Spent> => {
  const script = fileURLToPath(new URL('./tracing-cost/event-path.ts', import.meta.url));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script], {
    env,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  const [spent] = (await Promise.race([once(child, 'message'), ended])) as [Spent | null];
  await ended;
  mustHold((spent?.perSecond ?? 0) > 0, () => 'the event path did not end well');
  return spent as Spent;
};

/** A Millrace with a model that serves, which is not running. */
interface Prepared {
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly snapshot: ProjectSnapshot;
}

const prepare = async (directory: string, env: NodeJS.ProcessEnv): Promise<Prepared> => {
  const dataDir = `${directory}/data`;
  const millrace = await startEmbedded({ dataDir, env });
  const client = createClient({ url: millrace.url });
  const snapshot = await uploadFlights(client, `${directory}/project`);
  await runFlights(client, { snapshot, noCache: true });
  await client.close();
  await millrace.stop();
  return { dataDir, env, snapshot };
};

interface Unit {
  readonly warmUp: number;
  readonly measured: number;
  readonly work: (client: MillraceClient, url: string, amount: number) => Promise<void>;
}

const measureOn = async ({ dataDir, env }: Prepared, { warmUp, measured, work }: Unit): Promise<Spent> => {
  const millrace = await startEmbedded({ dataDir, env });
  const client = createClient({ url: millrace.url });
  try {
    await work(client, millrace.url, warmUp);
    const before = processorMsOf(millrace.pid);
    const startedAt = performance.now();
    await work(client, millrace.url, measured);
    const perSecond = (measured * 1_000) / (performance.now() - startedAt);
    return { perSecond, cpuMicros: ((processorMsOf(millrace.pid) - before) * 1_000) / measured };
  } finally {
    await client.close();
    await millrace.stop();
  }
};

const bodies = winterFlights().map((flight) => JSON.stringify({ dataframe_records: [flight] }));

const predicting: Unit = {
  ...predictions,
  work: async (_client, url, amount) => {
    await generateLoad({ url: `${url}/endpoints/${endpoint}/invocations`, bodies, connections, amount });
  },
};

const runningFrom = (snapshot: ProjectSnapshot): Unit => ({
  ...cachedRuns,
  work: async (client, _url, amount) => {
    for (let i = 0; i < amount; i += 1) {
      const { run } = await runFlights(client, { snapshot, noCache: false, toStep: lastCachedStep });
      const cached = stepsIn(run, StepState.STEP_STATE_CACHED);
      mustHold(cached.length >= cachedSteps - 2, () => `only ${cached.join(', ')} came from the cache`);
    }
  },
});

const figuresOf = (what: string, { on, off }: Pairs<Spent>): readonly Figure[] => [
  {
    measure: `${what}: processor time that tracing adds`,
    unit: '%',
    values: on.map(({ cpuMicros }, i) => 100 * (cpuMicros / (off[i]?.cpuMicros ?? Number.NaN) - 1)),
    target,
    floor: `${shortNumber(median(off.map(({ cpuMicros }) => cpuMicros)))} µs without`,
  },
  {
    measure: `${what}: rate with tracing, of that without`,
    unit: '%',
    values: on.map(({ perSecond }, i) => (100 * perSecond) / (off[i]?.perSecond ?? Number.NaN)),
    floor: `${shortNumber(median(off.map(({ perSecond }) => perSecond)))} /s without`,
  },
];

export const benchmark: Benchmark = {
  name: 'tracing-cost',
  title: 'tracing on against off',
  run: ({ env, note }) =>
    inDirectory(async (directory) => {
      const spent = ({ perSecond, cpuMicros }: Spent) =>
        `${shortNumber(cpuMicros)} µs (${shortNumber(perSecond)} /s)`;
      const told = (what: string) => (on: Spent, off: Spent) =>
        note(`${what}: on ${spent(on)}, off ${spent(off)}`);
      const events = await inPairs(eventPairs, (kind) => eventPath(envOf(env, kind)), told('event'));
      const prepared = {
        on: await prepare(`${directory}/on`, envOf(env, 'on')),
        off: await prepare(`${directory}/off`, envOf(env, 'off')),
      };
      const predicted = await inPairs(
        predictions.pairs,
        (kind) => measureOn(prepared[kind], predicting),
        told('prediction'),
      );
      const ran = await inPairs(
        cachedRuns.pairs,
        (kind) => measureOn(prepared[kind], runningFrom(prepared[kind].snapshot)),
        told('run from the cache'),
      );
      return [
        ...figuresOf('events', events),
        ...figuresOf('predictions through the gateway', predicted),
        ...figuresOf('runs from the cache', ran),
      ];
    }),
};
