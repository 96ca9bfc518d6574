/**
 * `npm run bench [name …] [-- --json <file>]`: measures Millrace on this machine and prints one table. Each file of
 * `test/bench` is one benchmark and says what it measures and how; `docs/benchmarks.md` has the rules.
 *
 * Exit code 1 when a run is void, that is when something was lost, doubled or wrong; a missed target is only told,
 * since it may be the machine's fault.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { locateNatsServer } from '@millrace/broker';
import { messageOf } from '@millrace/errors';
import { type Benchmark, VoidRun } from '../test/bench/harness/benchmark.ts';
import { durableAppendMs, machine, nodeStartMs } from '../test/bench/harness/floors.ts';
import { type BenchmarkReport, loadNow, shortNumber, table, toJson } from '../test/bench/harness/report.ts';

const directory = join(import.meta.dirname, '..', 'test', 'bench');
const suffix = '.bench.ts';
/** The order of the table; others follow by name. */
const order = ['start', 'memory', 'run-overhead', 'steps', 'events', 'predict'];
const rank = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);

const available = readdirSync(directory)
  .filter((file) => file.endsWith(suffix))
  .map((file) => file.slice(0, -suffix.length))
  .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Settings of a Millrace that the caller has running must not reach those that are measured. */
const cleanEnv = (): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => (!name.startsWith('MILLRACE_') || name === 'MILLRACE_NATS_SERVER') && name !== 'NATS_URL',
    ),
  );

const measure = async (name: string): Promise<BenchmarkReport> => {
  const { benchmark } = (await import(join(directory, `${name}${suffix}`))) as { benchmark: Benchmark };
  const { title } = benchmark;
  const before = loadNow();
  say(`\n${name}: ${title} (load ${before})`);
  const note = (text: string) => say(`  ${text}`);
  try {
    const figures = await benchmark.run({ note, env: cleanEnv() });
    return { name, title, figures, load: [before, loadNow()] };
  } catch (thrown) {
    note(`void: ${messageOf(thrown)}`);
    if (!(thrown instanceof VoidRun)) console.error(thrown);
    return { name, title, figures: [], void: messageOf(thrown), load: [before, loadNow()] };
  }
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' }, list: { type: 'boolean' } },
});
const unknown = positionals.filter((name) => !available.includes(name));
if (unknown.length > 0 || values.list === true) {
  for (const name of unknown) console.error(`There is no benchmark "${name}".`);
  say(`Benchmarks: ${available.join(', ')}`);
  process.exit(unknown.length > 0 ? 2 : 0);
}

await locateNatsServer({ onProgress: ({ message }) => say(message) });
const place = machine();
const floors = { nodeStartMs: nodeStartMs(), durableAppendMs: durableAppendMs() };
say(
  `${place.cores} cores (${place.processor}), ${place.memoryGb} GB, Node ${place.node}; ` +
    `start of node ${shortNumber(floors.nodeStartMs)} ms, durable append ${shortNumber(floors.durableAppendMs)} ms`,
);

const reports: BenchmarkReport[] = [];
for (const name of positionals.length === 0 ? available : positionals) reports.push(await measure(name));

say(`\n${table(reports)}`);
say(`\nload before and after: ${reports.map(({ name, load }) => `${name} ${load.join(' → ')}`).join(', ')}`);
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify(toJson(reports, { ...place, ...floors }), null, 2)}\n`);
}
process.exitCode = reports.some((report) => report.void !== undefined) ? 1 : 0;
