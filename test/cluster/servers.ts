import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestCluster } from '@millrace/broker';
import type { Bus, StreamName } from '@millrace/bus';
import type { StreamInfo } from '@nats-io/jetstream';
import { until } from '../support/wait.ts';

const metaLeaderLine = /^\[\d+\] (\S+ \S+) .*new metadata leader: ([^/]+)\//gm;

/** Name of the server that decides about streams and consumers, by what the servers' logs said last. */
export const metaLeaderOf = async ({ nodes }: TestCluster): Promise<string> => {
  const logs = await Promise.all(
    nodes.map(({ storeDir }) => readFile(join(storeDir, 'nats-server.log'), 'utf8')),
  );
  const lines = logs.flatMap((log) => [...log.matchAll(metaLeaderLine)]);
  const last = lines.sort(([, a = ''], [, b = '']) => a.localeCompare(b)).at(-1);
  if (last?.[2] === undefined) throw new Error('no server tells of a leader');
  return last[2];
};

/** Short, so that the time without a leader is measured and not that of a request. Milliseconds. */
const askingMs = 500;

/** Name of the server that leads a stream. */
export const leaderOf = ({ internals: { nc } }: Bus, stream: StreamName): Promise<string> =>
  until(`a leader of ${stream}`, async () => {
    const answer = await nc.request(`$JS.API.STREAM.INFO.${stream}`, '', { timeout: askingMs });
    return answer.json<Partial<StreamInfo>>().cluster?.leader || undefined;
  });

/** What a server holds of a stream: it is made its leader, which answers from its own copy. */
export const copyOn = async (bus: Bus, name: string, stream: StreamName) => {
  const { nc, jsm } = bus.internals;
  return until(`${name} as leader of ${stream}`, async () => {
    const { cluster, state } = await jsm.streams.info(stream);
    if (cluster?.leader === name) return { messages: state.messages, lastSequence: state.last_seq };
    await nc.request(
      `$JS.API.STREAM.LEADER.STEPDOWN.${stream}`,
      JSON.stringify({ placement: { preferred: name } }),
    );
    return undefined;
  });
};
