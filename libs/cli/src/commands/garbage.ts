import type { MillraceClient } from '@millrace/client';
import { type BlobCount, type GarbageCollection, GarbageCollectionState } from '@millrace/contracts/pipeline';
import { Internal } from '@millrace/errors';
import type { Command } from 'commander';
import { action } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { time } from '../format.ts';

const pollMs = 500;
/** Lines of what is collected that are shown; `--json` has more. */
const shownItems = 20;

const waitFor = async (client: MillraceClient, id: string): Promise<GarbageCollection> => {
  for (;;) {
    const { collection } = await client.pipeline.getGarbageCollection({ id });
    if (collection === undefined) throw new Internal(`there is no collection ${id}`);
    if (collection.state !== GarbageCollectionState.GARBAGE_COLLECTION_STATE_RUNNING) return collection;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
};

const amount = (count: BlobCount | undefined): string =>
  `${count?.blobs ?? 0} blobs, ${((count?.bytes ?? 0) / 1e6).toFixed(1)} MB`;

const write = ({ output }: CommandContext, collection: GarbageCollection): void => {
  const { dryRun } = collection;
  output.result(collection, () => {
    output.write(
      `${collection.id}: ${dryRun ? 'would be done' : 'done'} (${collection.documentsExamined} documents read)`,
    );
    output.table(
      ['WHAT', 'HOW MUCH'],
      [
        ['in use or young, kept', amount(collection.kept)],
        ['unused, put aside', amount(collection.retired)],
        ['aside, waiting', amount(collection.waiting)],
        ['aside, but used: back', amount(collection.restored)],
        ['removed for good', amount(collection.purged)],
        ['documents removed', String(collection.documentsRemoved)],
        ['events forgotten', String(collection.eventsRemoved)],
        ['missing blobs', String(collection.missingTotal)],
      ],
      '',
    );
    output.table(
      ['ACTION', 'NAME', 'BYTES', 'WHY'],
      collection.garbage
        .slice(0, shownItems)
        .map(({ action: verb, name, size, reason }) => [verb, name, size === 0 ? '' : String(size), reason]),
      'nothing to collect',
    );
    for (const { digest, referredBy } of collection.missing.slice(0, shownItems)) {
      output.write(`missing: ${digest}, to which ${referredBy} refers`);
    }
    if (collection.error !== '') output.write(`failed: ${collection.error}`);
  });
  if (collection.error !== '') throw new Internal(`garbage was not collected: ${collection.error}`);
};

const collect =
  (dryRun: boolean) =>
  async (context: CommandContext, options: { readonly reason?: string }): Promise<void> => {
    const client = await context.client();
    const { collection } = await client.pipeline.startGarbageCollection({
      dryRun,
      actor: { reason: options.reason ?? '' },
    });
    if (collection === undefined) throw new Internal('no collection was started');
    write(context, await waitFor(client, collection.id));
  };

const status = async (context: CommandContext): Promise<void> => {
  const client = await context.client();
  const { collections } = await client.pipeline.listGarbageCollections({ page: { limit: 20 } });
  context.output.result(collections, () =>
    context.output.table(
      ['COLLECTION', 'STARTED', 'STATE', 'PUT ASIDE', 'REMOVED', 'DOCUMENTS', 'MISSING'],
      collections.map((item) => [
        item.dryRun ? `${item.id} (plan)` : item.id,
        time(item.startedAt),
        stateOf(item),
        amount(item.retired),
        amount(item.purged),
        String(item.documentsRemoved),
        String(item.missingTotal),
      ]),
      'garbage was never collected',
    ),
  );
};

const stateOf = ({ state, phase, resumed }: GarbageCollection): string => {
  const name = state.replace('GARBAGE_COLLECTION_STATE_', '').toLowerCase();
  const again = resumed === 0 ? '' : `, gone on with ${resumed} times`;
  return phase === '' ? `${name}${again}` : `${name} (${phase}${again})`;
};

const hold = async (
  context: CommandContext,
  subject: string,
  options: { readonly reason: string },
): Promise<void> => {
  const client = await context.client();
  const { hold: placed } = await client.pipeline.placeHold({ subject, actor: { reason: options.reason } });
  context.output.result(placed, () => context.output.write(`${subject} is held: ${options.reason}`));
};

const release = async (
  context: CommandContext,
  subject: string,
  options: { readonly reason?: string },
): Promise<void> => {
  const client = await context.client();
  await client.pipeline.releaseHold({ subject, actor: { reason: options.reason ?? '' } });
  context.output.result({ released: subject }, () => context.output.write(`${subject} is no longer held`));
};

const holds = async (context: CommandContext): Promise<void> => {
  const client = await context.client();
  const found = (await client.pipeline.listHolds({ page: { limit: 1_000 } })).holds;
  context.output.result(found, () =>
    context.output.table(
      ['HELD', 'BY', 'SINCE', 'WHY'],
      found.map(({ subject, placedBy, placedAt, reason }) => [
        subject,
        placedBy?.name ?? '',
        time(placedAt),
        reason,
      ]),
      'nothing is held',
    ),
  );
};

export const garbageCommands = (program: Command): void => {
  const garbage = program.command('gc').description('garbage: blobs and documents that nothing uses');
  garbage
    .command('plan', { isDefault: true })
    .description('what would be collected, and why; changes nothing')
    .action(action(collect(true)));
  garbage
    .command('run')
    .description('collect garbage')
    .option('--reason <text>', 'why; kept in the audit log')
    .action(action(collect(false)));
  garbage.command('status').description('collections until now').action(action(status));
  garbage
    .command('hold <subject>')
    .description('keep a blob (sha256:…), a run or a model version (name/3), and what it refers to')
    .requiredOption('--reason <text>', 'why; kept in the audit log')
    .action(action(hold));
  garbage
    .command('release <subject>')
    .description('release a hold')
    .option('--reason <text>', 'why; kept in the audit log')
    .action(action(release));
  garbage.command('holds').description('what is held').action(action(holds));
};
