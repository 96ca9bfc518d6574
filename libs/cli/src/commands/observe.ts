import type { StreamedEvent } from '@millrace/client';
import { LineageDirection } from '@millrace/contracts/registry';
import { FailedPrecondition, Invalid } from '@millrace/errors';
import type { Command } from 'commander';
import pc from 'picocolors';
import { action } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { time } from '../format.ts';
import { instant, positiveNumber, wholeNumber } from '../options.ts';
import { plain } from '../output.ts';
import { findRun } from '../references.ts';
import { lineageTree } from '../views/lineage-tree.ts';
import { predictionOrigin } from '../views/prediction-origin.ts';
import { traceTree } from '../views/trace-tree.ts';

interface TailOptions {
  readonly since?: string;
  readonly from?: number;
  readonly until?: string;
  readonly filter?: string[];
  readonly key?: string;
  readonly run?: string;
  readonly count?: number;
}

const ages: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `10m` and the like become a time; everything else is for the gateway to read. */
const sinceOf = (text: string): string => {
  const match = /^(\d+)([smhd])$/.exec(text);
  if (match === null) return text;
  return new Date(Date.now() - Number(match[1]) * (ages[match[2] ?? ''] ?? 0)).toISOString();
};

/** Whether an event belongs to a pipeline run: it names the run, or travelled in its trace. */
const belongsTo = (event: StreamedEvent, runId: string, traceId: string): boolean =>
  (traceId !== '' && event.traceparent?.includes(traceId) === true) ||
  JSON.stringify(event.data).includes(runId);

/** Where `--from` and `--since` say to begin; undefined when neither does. */
const placeOf = ({ since, from }: TailOptions): string | undefined => {
  if (from === undefined) return since === undefined ? undefined : sinceOf(since);
  if (since !== undefined) throw new Invalid('either --since or --from says where to begin, not both');
  // The gateway goes on after the sequence that it is given.
  return String(Math.max(0, from - 1));
};

/** Shows events as they come; without `follow`, those that there are. */
const showEvents = async (
  context: CommandContext,
  options: TailOptions,
  { follow, start }: { readonly follow: boolean; readonly start: string },
): Promise<void> => {
  const client = await context.client();
  const run = options.run === undefined ? undefined : await findRun(client, options.run);
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort());
  const events = client.events({
    since: placeOf(options) ?? run?.createdAt ?? start,
    follow,
    ...(options.filter === undefined ? {} : { filter: options.filter }),
    ...(options.key === undefined ? {} : { key: options.key }),
    signal: abort.signal,
  });
  let left = options.count ?? Number.POSITIVE_INFINITY;
  for await (const event of events) {
    if (run !== undefined && !belongsTo(event, run.id, run.traceId)) continue;
    if (options.until !== undefined && event.time >= options.until) continue;
    context.output.line(event, describe);
    left -= 1;
    if (left <= 0 || (run !== undefined && isEndOf(event, run.id))) break;
  }
  abort.abort();
};

const tail = (context: CommandContext, options: TailOptions): Promise<void> =>
  showEvents(context, options, { follow: true, start: 'new' });

const replay = (context: CommandContext, options: TailOptions): Promise<void> =>
  showEvents(context, options, { follow: false, start: 'all' });

/** A finished run causes no more events; its own last one ends the list. */
const isEndOf = (event: StreamedEvent, runId: string): boolean =>
  event.key === runId && /^millrace\.pipeline\.run\.(succeeded|failed|cancelled)\./.test(event.type);

const describe = (event: StreamedEvent): string =>
  `${pc.dim(`${event.streamSequence} ${time(event.time)}`)} ${pc.cyan(event.type)} ${plain(event.key)} ${pc.dim(`#${event.sequence}`)}`;

const trace = async (
  context: CommandContext,
  reference: string,
  options: { min?: number },
): Promise<void> => {
  const client = await context.client();
  const found = /^[0-9a-f]{32}$/.test(reference)
    ? await client.trace(reference)
    : await client.runTrace((await findRun(client, reference)).id);
  context.output.result(found, ({ traceId, spans }) => {
    if (spans.length === 0) {
      context.output.write(
        pc.dim(`no spans of trace ${traceId} are kept (yet): they arrive within a second`),
      );
      return;
    }
    for (const line of traceTree(spans, options.min)) context.output.write(line);
    const services = new Set(spans.map(({ service }) => service));
    context.output.write(pc.dim(`trace ${traceId}: ${spans.length} spans, ${services.size} services`));
  });
};

const lineage = async (
  context: CommandContext,
  node: string,
  options: { up?: boolean; down?: boolean; depth?: number },
): Promise<void> => {
  const client = await context.client();
  const id = node.includes(':') ? node : `pipeline_run:${(await findRun(client, node)).id}`;
  const directions = [
    ...(options.down ? [] : (['upstream'] as const)),
    ...(options.up ? [] : (['downstream'] as const)),
  ];
  const answers = await Promise.all(
    directions.map(async (direction) => ({
      direction,
      answer: await client.registry.getLineage({
        node: id,
        direction:
          direction === 'upstream'
            ? LineageDirection.LINEAGE_DIRECTION_UPSTREAM
            : LineageDirection.LINEAGE_DIRECTION_DOWNSTREAM,
        maxDepth: options.depth ?? 0,
      }),
    })),
  );
  context.output.result(
    Object.fromEntries(answers.map(({ direction, answer }) => [direction, answer])),
    () => {
      for (const { direction, answer } of answers) {
        context.output.write(pc.bold(direction === 'upstream' ? 'made from' : 'led to'));
        for (const line of lineageTree(answer, id, direction)) context.output.write(line);
        if (answer.truncated) context.output.write(pc.dim('… cut off at this depth; use --depth'));
      }
    },
  );
};

const prediction = async (context: CommandContext, id: string): Promise<void> => {
  const origin = await (await context.client()).predictionOrigin(id);
  context.output.result(origin, () => {
    for (const line of predictionOrigin(origin)) context.output.write(line);
  });
};

const verifyAudit = async (
  context: CommandContext,
  options: { head?: string; number?: number },
): Promise<void> => {
  const result = await (await context.client()).registry.verifyAudit({
    expectedHead: options.head ?? '',
    expectedNumber: options.number ?? 0,
  });
  context.output.result(result, ({ intact, records, head }) => {
    if (intact) context.output.write(`${pc.green('intact')}: ${records} records, head ${head}`);
  });
  if (!result.intact) {
    throw new FailedPrecondition(`the audit log is broken at record ${result.brokenAt}: ${result.reason}`);
  }
};

const listAudit = async (context: CommandContext, options: { entity?: string }): Promise<void> => {
  const { records } = await (await context.client()).registry.listAuditRecords({
    entity: options.entity ?? '',
    page: { limit: 1000 },
  });
  context.output.result(records, () =>
    context.output.table(
      ['#', 'AT', 'BY', 'ACTION', 'ENTITY', 'WHY'],
      records.map(({ number, at, actor, action: what, entity }) => [
        String(number),
        time(at),
        actor?.name ?? '',
        what,
        entity,
        actor?.reason ?? '',
      ]),
      'no records',
    ),
  );
};

const listDead = async (context: CommandContext): Promise<void> => {
  const letters = await (await context.client()).deadLetters();
  context.output.result(letters, () =>
    context.output.table(
      ['#', 'AT', 'CONSUMER', 'SUBJECT', 'TRIES', 'REASON', 'REPLAYED'],
      letters.map((letter) => [
        String(letter.sequence),
        time(letter.time),
        letter.consumer,
        letter.subject,
        String(letter.attempts),
        letter.reason,
        letter.replayedAt === undefined ? '' : time(letter.replayedAt),
      ]),
      'no dead letters',
    ),
  );
};

const showDead = async (context: CommandContext, sequence: number): Promise<void> => {
  const letter = await (await context.client()).deadLetter(sequence);
  context.output.result(letter, () =>
    context.output.write(plain(JSON.stringify(letter, null, 2)).replaceAll('\\x0a', '\n')),
  );
};

const replayDead = async (context: CommandContext, sequence: number): Promise<void> => {
  const letter = await (await context.client()).replayDeadLetter(sequence);
  context.output.result(letter, () => context.output.write(`replayed ${sequence} to ${letter.consumer}`));
};

export const observeCommands = (program: Command): void => {
  const events = program.command('events').description('lifecycle events');
  events
    .command('tail', { isDefault: true })
    .description('show events as they come, or from the past')
    .option('--since <when>', 'all, new, an age such as 10m, or a time')
    .option('--from <sequence>', 'the event with this stream sequence, and those after it', wholeNumber)
    .option('--filter <subject...>', 'subject filters, such as millrace.evt.registry.>')
    .option('--key <key>', 'only events of this entity')
    .option('--run <run>', 'only events of this pipeline run')
    .option('-n, --count <count>', 'end after so many', wholeNumber)
    .action(action(tail));
  events
    .command('replay')
    .description('show events of the past again, in their order, and end')
    .option('--since <when>', 'all (default), an age such as 10m, or a time')
    .option('--from <sequence>', 'the event with this stream sequence, and those after it', wholeNumber)
    .option('--until <time>', 'only those before it', instant)
    .option('--filter <subject...>', 'subject filters, such as millrace.evt.registry.>')
    .option('--key <key>', 'only events of this entity')
    .option('--run <run>', 'only events of this pipeline run')
    .option('-n, --count <count>', 'end after so many', wholeNumber)
    .action(action(replay));
  program
    .command('trace <run>')
    .description('the trace of a pipeline run (or trace id) as a tree with durations')
    .option('--min <ms>', 'leave out spans shorter than this', positiveNumber)
    .action(action(trace));
  program
    .command('lineage <node>')
    .description('what a thing was made from and what it led to: a run, or kind:id')
    .option('--up', 'only what it was made from')
    .option('--down', 'only what it led to')
    .option('--depth <steps>', 'how far (default 20)', wholeNumber)
    .action(action(lineage));
  program
    .command('prediction <id>')
    .description('what a prediction came from: revision, model, approver, gates, runs, data, commit, trace')
    .action(action(prediction));
  const audit = program.command('audit').description('the audit log');
  audit
    .command('list', { isDefault: true })
    .description('all records')
    .option('--entity <entity>', 'only of this entity')
    .action(action(listAudit));
  audit
    .command('verify')
    .description('check that nothing was changed, dropped or reordered')
    .option('--head <hash>', 'a head noted earlier')
    .option('--number <number>', 'the record number of that head', wholeNumber)
    .action(action(verifyAudit));
  const dead = program.command('dead').description('messages that could not be handled');
  dead.command('list', { isDefault: true }).description('newest first').action(action(listDead));
  dead
    .command('show')
    .argument('<number>', 'of the list', wholeNumber)
    .description('one, with its cause and history')
    .action(action(showDead));
  dead
    .command('replay')
    .argument('<number>', 'of the list', wholeNumber)
    .description('hand it to its consumer again')
    .action(action(replayDead));
};
