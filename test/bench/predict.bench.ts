/**
 * Predictions of one row over HTTP (`/endpoints/flights/invocations`, 32 keep-alive connections, closed loop) with the
 * prediction log on, against the bare loop: a Fastify server that parses the same request and asks the same model.
 * The model is that of the flights example's `baseline` profile, the rows are its winter flights in turn.
 *
 * - direct: the deployment service as a process of its own;
 * - gateway: the embedded mode, in which gateway, deployment, monitoring and all else share one process; monitoring
 *   reads the log and measures drift meanwhile. It begins once monitoring has read what the direct part left.
 *
 * Server on the first core; load generator (autocannon), broker and the child that measures windows on the second. Pairs
 * alternate A B B A; the ratio is taken pair by pair. Checked: every request answered with success, answers equal to the
 * bare model's, and as many records in the log's stream as requests were answered, each with an id of its own, none dropped.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startNatsServer } from '@millrace/broker';
import { createClient } from '@millrace/client';
import {
  atLeast,
  type Benchmark,
  type BenchmarkContext,
  type Figure,
  median,
  mustHold,
} from './harness/benchmark.ts';
import { inDirectory, startEmbedded } from './harness/embedded.ts';
import { endpoint, modelVersionOf, runFlights, uploadFlights, winterFlights } from './harness/flights.ts';
import { generateLoad, type LoadResult, moveToCore, onCore } from './harness/load.ts';
import { processTree } from './harness/process-tree.ts';
import { shortNumber } from './harness/report.ts';
import { readPredictionLog, whenMonitored } from './predict/recorded.ts';
import { startBareServer, startDeployment } from './predict/servers.ts';

const pairs = 5;
const connections = 32;
/** Requests of one measurement. */
const amount = 20_000;
const warmUpAmount = 30_000;
/** Answers compared with the bare model's. */
const checkedAnswers = 50;
/** Milliseconds in which the log sends what waits. */
const settleMs = 2_000;

const bodies = winterFlights().map((flight) => JSON.stringify({ dataframe_records: [flight] }));
const path = `/endpoints/${endpoint}/invocations`;

/** Deploys a model and leaves its stores behind; resolves to the digest of the model's package. */
const deployModel = async (dataDir: string, project: string, env: NodeJS.ProcessEnv): Promise<string> => {
  const millrace = await startEmbedded({ dataDir, env });
  const client = createClient({ url: millrace.url });
  try {
    const { run } = await runFlights(client, {
      snapshot: await uploadFlights(client, project),
      noCache: true,
    });
    const { modelVersion } = await client.registry.getModelVersion(modelVersionOf(run));
    return modelVersion?.digest ?? '';
  } finally {
    await client.close();
    await millrace.stop();
  }
};

const answerOf = async (url: string, body: string): Promise<number> => {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', body, headers });
  const { predictions } = (await answer.json()) as { predictions: number[] };
  return predictions[0] ?? Number.NaN;
};

interface Pairs {
  readonly bare: readonly LoadResult[];
  readonly ours: readonly LoadResult[];
}

/** Measures both in turns, who comes first alternating; resolves once the log has had its time. */
const measurePairs = async (
  bareUrl: string,
  url: string,
  note: BenchmarkContext['note'],
  afterWarmUp = () => {},
): Promise<Pairs> => {
  for (const body of bodies.slice(0, checkedAnswers)) {
    const [expected, answered] = [await answerOf(bareUrl, body), await answerOf(url, body)];
    mustHold(
      Math.abs(expected - answered) < 1e-9,
      () => `answered ${answered} where the model says ${expected}`,
    );
  }
  const load = (target: string, count = amount) =>
    generateLoad({ url: target, bodies, connections, amount: count });
  await load(bareUrl, warmUpAmount);
  await load(url, warmUpAmount);
  afterWarmUp();
  const bare: LoadResult[] = [];
  const ours: LoadResult[] = [];
  for (let i = 0; i < pairs; i += 1) {
    if (i % 2 === 0) bare.push(await load(bareUrl));
    ours.push(await load(url));
    if (i % 2 === 1) bare.push(await load(bareUrl));
    note(`${shortNumber(ours[i]?.perSecond ?? 0)} /s, bare ${shortNumber(bare[i]?.perSecond ?? 0)} /s`);
  }
  await sleep(settleMs);
  return { bare, ours };
};

/** Requests that `measurePairs` makes of ours. */
const requestCount = checkedAnswers + warmUpAmount + pairs * amount;

const mustBeRecorded = async (natsUrl: string, expected: number): Promise<void> => {
  const { records, distinctIds, dropped } = await readPredictionLog(natsUrl);
  mustHold(
    records === expected && distinctIds === expected && dropped === 0,
    () => `${expected} answered, ${records} recorded with ${distinctIds} ids, ${dropped} dropped`,
  );
};

const figuresOf = (name: string, { bare, ours }: Pairs, floorUrl: string): readonly Figure[] => {
  const rates = (results: readonly LoadResult[]) => results.map(({ perSecond }) => perSecond);
  const ratios = ours.map(({ perSecond }, i) => (100 * perSecond) / (bare[i]?.perSecond ?? Number.NaN));
  const floor = `${floorUrl} ${shortNumber(median(rates(bare)))} /s`;
  return [
    { measure: `predict, ${name}: share of bare`, unit: '%', values: ratios, target: atLeast(50), floor },
    { measure: `predict, ${name}`, unit: '/s', values: rates(ours) },
    { measure: `predict, ${name}: p99 of 32 clients`, unit: 'ms', values: ours.map(({ p99Ms }) => p99Ms) },
  ];
};

export const benchmark: Benchmark = {
  name: 'predict',
  title: 'predictions of one row over HTTP, the prediction log on',
  run: ({ env, note }) =>
    inDirectory(async (directory) => {
      const dataDir = `${directory}/data`;
      const digest = await deployModel(dataDir, `${directory}/project`, env);
      const bare = await startBareServer(dataDir, digest, env);
      const bareUrl = `http://127.0.0.1:${bare.port}/predict`;
      try {
        const broker = await startNatsServer({ storeDir: `${dataDir}/nats` });
        moveToCore(broker.pid, 1);
        const deployment = await startDeployment(dataDir, broker.url, env);
        const direct = await measurePairs(bareUrl, `http://127.0.0.1:${deployment.port}${path}`, note);
        await deployment.stop();
        await mustBeRecorded(broker.url, requestCount);
        await broker.stop();

        const millrace = await startEmbedded({ dataDir, env, prefix: onCore(0) });
        await whenMonitored(millrace.natsUrl);
        // The child that measures windows starts with the first of them.
        const gateway = await measurePairs(bareUrl, `${millrace.url}${path}`, note, () => {
          for (const pid of processTree(millrace.pid)) if (pid !== millrace.pid) moveToCore(pid, 1);
        });
        await mustBeRecorded(millrace.natsUrl, 2 * requestCount);
        await millrace.stop();
        return [
          ...figuresOf('direct', direct, 'bare loop'),
          ...figuresOf('embedded, through the gateway', gateway, 'bare loop'),
        ];
      } finally {
        await bare.stop();
      }
    }),
};
