/**
 * What tracing costs: the same work with tracing on as by default (every request a trace, spans kept by the gateway,
 * some of the predictions) and with `OTEL_SDK_DISABLED=true`. Pairs alternate A B B A; the cost is taken pair by pair.
 *
 * - events: durable changes with their events and the effects of a consumer, each change in a span of its own, in a new
 *   process for each measurement;
 * - predict: predictions of one row through the gateway of an embedded Millrace, 32 clients;
 * - run: wall time of a flights run whose steps come from the cache, where nothing but the platform's own work is left.
 *
 * Two embedded Millraces stand side by side for the last two, one of each kind, on stores of their own with the same
 * model; the one that is not measured is idle. `MILLRACE_BENCH_PAIRS` sets the number of pairs (default 6).
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
import { shortNumber } from './harness/report.ts';

const pairs = Number(process.env.MILLRACE_BENCH_PAIRS ?? 6);
const connections = 32;
const amount = 10_000;
const warmUpAmount = 5_000;
const lastCachedStep = 'register';
const cachedSteps = 6;
const target = atMost(5);

const kinds = ['on', 'off'] as const;
type Kind = (typeof kinds)[number];

const envOf = (env: NodeJS.ProcessEnv, kind: Kind): NodeJS.ProcessEnv =>
  kind === 'off' ? { ...env, OTEL_SDK_DISABLED: 'true' } : env;

/** Measures both kinds in turns; which comes first alternates. */
const inPairs = async (
  measure: (kind: Kind) => Promise<number>,
  note: (on: number, off: number) => void,
): Promise<Record<Kind, readonly number[]>> => {
  const values = { on: [] as number[], off: [] as number[] };
  for (let i = 0; i < pairs; i += 1) {
    for (const kind of i % 2 === 0 ? kinds : kinds.toReversed()) values[kind].push(await measure(kind));
    note(values.on.at(-1) ?? Number.NaN, values.off.at(-1) ?? Number.NaN);
  }
  return values;
};

const eventsPerSecond = async (env: NodeJS.ProcessEnv): Promise<number> => {
  const script = fileURLToPath(new URL('./tracing-cost/event-path.ts', import.meta.url));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script], {
    env,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [{ perSecond?: number } | null];
  await ended;
  const perSecond = message?.perSecond ?? Number.NaN;
  mustHold(perSecond > 0, () => 'the event path did not end well');
  return perSecond;
};

interface Side {
  readonly millrace: EmbeddedMillrace;
  readonly client: MillraceClient;
  readonly snapshot: ProjectSnapshot;
}

const startSide = async (directory: string, kind: Kind, env: NodeJS.ProcessEnv): Promise<Side> => {
  const millrace = await startEmbedded({ dataDir: `${directory}/${kind}`, env: envOf(env, kind) });
  const client = createClient({ url: millrace.url });
  const snapshot = await uploadFlights(client, `${directory}/project-${kind}`);
  await runFlights(client, { snapshot, noCache: true });
  return { millrace, client, snapshot };
};

const bodies = winterFlights().map((flight) => JSON.stringify({ dataframe_records: [flight] }));

const predict = async ({ millrace }: Side, count: number): Promise<number> => {
  const url = `${millrace.url}/endpoints/${endpoint}/invocations`;
  return (await generateLoad({ url, bodies, connections, amount: count })).perSecond;
};

const cachedRun = async ({ client, snapshot }: Side): Promise<number> => {
  const { run, wallMs } = await runFlights(client, { snapshot, noCache: false, toStep: lastCachedStep });
  const cached = stepsIn(run, StepState.STEP_STATE_CACHED);
  mustHold(cached.length >= cachedSteps - 2, () => `only ${cached.join(', ')} came from the cache`);
  return wallMs;
};

const ofRates = (measure: string, { on, off }: Record<Kind, readonly number[]>): Figure => ({
  measure: `${measure}: cost of tracing`,
  unit: '%',
  values: on.map((rate, i) => 100 * ((off[i] ?? Number.NaN) / rate - 1)),
  target,
  floor: `${shortNumber(median(off))} /s without`,
});

const ofTimes = (measure: string, { on, off }: Record<Kind, readonly number[]>): Figure => ({
  measure: `${measure}: cost of tracing`,
  unit: '%',
  values: on.map((time, i) => 100 * (time / (off[i] ?? Number.NaN) - 1)),
  target,
  floor: `${shortNumber(median(off))} ms without`,
});

export const benchmark: Benchmark = {
  name: 'tracing-cost',
  title: 'tracing on against off',
  run: ({ env, note }) =>
    inDirectory(async (directory) => {
      const told = (what: string, unit: string) => (on: number, off: number) =>
        note(`${what}: on ${shortNumber(on)} ${unit}, off ${shortNumber(off)} ${unit}`);
      const events = await inPairs((kind) => eventsPerSecond(envOf(env, kind)), told('events', '/s'));
      const sides = {
        on: await startSide(directory, 'on', env),
        off: await startSide(directory, 'off', env),
      };
      try {
        for (const kind of kinds) await predict(sides[kind], warmUpAmount);
        const predictions = await inPairs((kind) => predict(sides[kind], amount), told('predict', '/s'));
        for (const kind of kinds) await cachedRun(sides[kind]);
        const runs = await inPairs((kind) => cachedRun(sides[kind]), told('cached run', 'ms'));
        return [
          ofRates('events', events),
          ofRates('predictions through the gateway', predictions),
          ofTimes('run from the cache', runs),
        ];
      } finally {
        for (const { client, millrace } of Object.values(sides)) {
          await client.close();
          await millrace.stop();
        }
      }
    }),
};
