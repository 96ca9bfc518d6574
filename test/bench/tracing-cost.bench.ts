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
 * - whole run: flights runs up to the registered model, which do all their work;
 * - run from the cache: the same when nothing has changed, where nothing but the platform's own work is left.
 *
 * For all but the events, three Millraces of either kind are started, and they do the same by turns of some seconds: the speed
 * of a machine changes more between longer ones than tracing could cost, and of two processes of the same kind one may be
 * quicker than the other by a tenth for as long as they live. What is measured is near what one measurement differs from the
 * next by, hence the many pairs; `MILLRACE_BENCH_PAIRS` sets their number.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createClient, type MillraceClient } from '@millrace/client';
import { StepState } from '@millrace/contracts/pipeline';
import type { ProjectSnapshot } from '@millrace/contracts/step';
import { atMost, type Benchmark, type Figure, median, mustHold } from './harness/benchmark.ts';
import { type EmbeddedMillrace, inDirectory, startEmbedded } from './harness/embedded.ts';
import { endpoint, runFlights, stepsIn, uploadFlights, winterFlights } from './harness/flights.ts';
import { generateLoad } from './harness/load.ts';
import { processorMsOf } from './harness/process-tree.ts';
import { shortNumber } from './harness/report.ts';
import { whenMonitored } from './predict/recorded.ts';

const pairsOf = (usual: number): number => Number(process.env.MILLRACE_BENCH_PAIRS ?? usual);
const eventPairs = pairsOf(16);
const connections = 32;
const predictions = { pairs: pairsOf(18), warmUp: 20_000, measured: 10_000 };
const wholeRuns = { pairs: pairsOf(24), warmUp: 3, measured: 1 };
const cachedRuns = { pairs: pairsOf(48), warmUp: 100, measured: 15 };
const processesOfKind = 3;
const lastStep = 'register';
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
  measure: (kind: Kind, pair: number) => Promise<T>,
  note: (on: T, off: T) => void,
): Promise<Pairs<T>> => {
  const values: Record<Kind, T[]> = { on: [], off: [] };
  for (let i = 0; i < pairs; i += 1) {
    const measured = {} as Record<Kind, T>;
    for (const kind of i % 2 === 0 ? kinds : kinds.toReversed()) measured[kind] = await measure(kind, i);
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

/** A Millrace with a model that serves. */
interface Serving {
  readonly millrace: EmbeddedMillrace;
  readonly client: MillraceClient;
  readonly snapshot: ProjectSnapshot;
}

const serve = async (directory: string, env: NodeJS.ProcessEnv): Promise<Serving> => {
  const millrace = await startEmbedded({ dataDir: `${directory}/data`, env });
  const client = createClient({ url: millrace.url });
  const snapshot = await uploadFlights(client, `${directory}/project`);
  await runFlights(client, { snapshot, noCache: true });
  return { millrace, client, snapshot };
};

const stop = async ({ millrace, client }: Serving): Promise<void> => {
  await client.close();
  await millrace.stop();
};

interface Unit {
  readonly pairs: number;
  readonly warmUp: number;
  readonly measured: number;
  readonly work: (serving: Serving, amount: number) => Promise<void>;
  /** Resolves when all is done that the work left for later, which counts as well. */
  readonly settled?: (serving: Serving) => Promise<void>;
}

const measureOn = async (serving: Serving, { measured, work, settled }: Unit): Promise<Spent> => {
  const { pid } = serving.millrace;
  const before = processorMsOf(pid);
  const startedAt = performance.now();
  await work(serving, measured);
  const perSecond = (measured * 1_000) / (performance.now() - startedAt);
  await settled?.(serving);
  return { perSecond, cpuMicros: ((processorMsOf(pid) - before) * 1_000) / measured };
};

/** Measures both kinds by turns, a process of each in each pair, all after their warm-up. */
const byTurns = async (
  serving: Record<Kind, readonly Serving[]>,
  unit: Unit,
  note: (on: Spent, off: Spent) => void,
): Promise<Pairs<Spent>> => {
  for (const each of [...serving.on, ...serving.off]) {
    await unit.work(each, unit.warmUp);
    await unit.settled?.(each);
  }
  const measure = (kind: Kind, pair: number) => measureOn(serving[kind][pair % processesOfKind]!, unit);
  return inPairs(unit.pairs, measure, note);
};

const bodies = winterFlights().map((flight) => JSON.stringify({ dataframe_records: [flight] }));

const predicting: Unit = {
  ...predictions,
  work: async ({ millrace }, amount) => {
    await generateLoad({
      url: `${millrace.url}/endpoints/${endpoint}/invocations`,
      bodies,
      connections,
      amount,
    });
  },
  // Monitoring reads the log when it is its turn.
  settled: ({ millrace }) => whenMonitored(millrace.natsUrl),
};

const runningWhole: Unit = {
  ...wholeRuns,
  work: async ({ client, snapshot }) => {
    await runFlights(client, { snapshot, noCache: true, toStep: lastStep });
  },
};

const runningFromCache: Unit = {
  ...cachedRuns,
  work: async ({ client, snapshot }, amount) => {
    for (let i = 0; i < amount; i += 1) {
      const { run } = await runFlights(client, { snapshot, noCache: false, toStep: lastStep });
      const cached = stepsIn(run, StepState.STEP_STATE_CACHED);
      mustHold(cached.length >= cachedSteps - 2, () => `only ${cached.join(', ')} came from the cache`);
    }
  },
};

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
      const serving: Record<Kind, Serving[]> = { on: [], off: [] };
      try {
        for (let i = 0; i < processesOfKind; i += 1) {
          for (const kind of i % 2 === 0 ? kinds : kinds.toReversed()) {
            serving[kind].push(await serve(`${directory}/${kind}${i}`, envOf(env, kind)));
          }
        }
        const ran = await byTurns(serving, runningWhole, told('whole run'));
        const ranFromCache = await byTurns(serving, runningFromCache, told('run from the cache'));
        const predicted = await byTurns(serving, predicting, told('prediction'));
        return [
          ...figuresOf('events', events),
          ...figuresOf('predictions through the gateway', predicted),
          ...figuresOf('whole runs', ran),
          ...figuresOf('runs from the cache', ranFromCache),
        ];
      } finally {
        for (const each of [...serving.on, ...serving.off]) await stop(each);
      }
    }),
};
