import { readFile } from 'node:fs/promises';
import type { TestInstallation } from './installation.ts';

/** Sum of a Prometheus metric over its labels and all services; only of an installation with a process per service. */
export const metricSum = async (millrace: TestInstallation, name: string): Promise<number> => {
  const { pids } = await millrace.state();
  const sums = await Promise.all(
    Object.values(pids).map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
      const port = /(?:^|\0)MILLRACE_HTTP_PORT=(\d+)/.exec(environment)?.[1];
      return port === undefined ? 0 : sumIn(await metricsOf(Number(port)), name);
    }),
  );
  return sums.reduce((sum, each) => sum + each, 0);
};

const metricsOf = async (port: number): Promise<string> => {
  const token = process.env.MILLRACE_TOKEN;
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).text();
};

/** Counters end in `_total`, those with a unit in it and that. */
const sumIn = (text: string, name: string): number =>
  text
    .split('\n')
    .filter((line) => line.startsWith(name))
    .map((line) => Number(line.split(' ')[1]))
    .reduce((sum, value) => sum + value, 0);
