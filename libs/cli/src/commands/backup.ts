import { resolve } from 'node:path';
import { readRunningState } from '@millrace/installation';
import type { Command } from 'commander';
import pc from 'picocolors';
import type { BackupManifest } from '../backup/manifest.ts';
import { action } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { version } from '../version.ts';

const summary = ({ stores, blobs, deadLetters, cutAt }: BackupManifest): string =>
  `${stores.length} stores and ${blobs.count} blobs (${((blobs.totalBytes + stores.reduce((sum, { bytes }) => sum + bytes, 0)) / 1e6).toFixed(1)} MB), ${deadLetters?.count ?? 'no'} messages of DEAD, as of ${cutAt}`;

const create = async (
  context: CommandContext,
  directory: string,
  { broker = true, stopped = false }: { readonly broker?: boolean; readonly stopped?: boolean },
): Promise<void> => {
  const { dataDir, output } = context;
  const natsUrl = process.env.NATS_URL || (await readRunningState(dataDir))?.natsUrl;
  const target = resolve(directory);
  // Loaded when wanted, as below: stores and broker take a while to load, and other commands do without.
  const { createBackup } = await import('../backup/create-backup.ts');
  const manifest = await createBackup({
    dataDir,
    target,
    version,
    natsUrl: broker ? natsUrl : undefined,
    env: process.env,
    stopped,
    onProgress: (message) => output.note(pc.dim(message)),
  });
  output.result({ directory: target, ...manifest }, () => {
    output.write(`${pc.green('backed up')} ${summary(manifest)}`);
    output.write(pc.dim('keys are not in it: keep certificates, broker keys and MILLRACE_TOKEN elsewhere'));
  });
};

const verify = async ({ output }: CommandContext, directory: string): Promise<void> => {
  const { verifyBackup } = await import('../backup/verify-backup.ts');
  const manifest = await verifyBackup(resolve(directory), (message) => output.note(pc.dim(message)));
  output.result(manifest, () => output.write(`${pc.green('whole')}: ${summary(manifest)}`));
};

const restore = async (
  { dataDir, output }: CommandContext,
  directory: string,
  { force = false }: { readonly force?: boolean },
): Promise<void> => {
  const { restoreBackup } = await import('../backup/restore-backup.ts');
  const restored = await restoreBackup({
    source: resolve(directory),
    dataDir,
    force,
    env: process.env,
    now: new Date(),
    onProgress: (message) => output.note(pc.dim(message)),
  });
  output.result({ dataDir, ...restored }, ({ manifest, movedAside }) => {
    output.write(`${pc.green('restored')} ${summary(manifest)} to ${dataDir}`);
    if (movedAside !== undefined) output.write(pc.dim(`what was there is in ${movedAside}`));
    output.write(pc.dim('start it with `millrace up`: the streams are made anew from the stores'));
  });
};

export const backupCommands = (program: Command): void => {
  const group = program
    .command('backup')
    .description('copy everything to a directory, and check such copies');
  group
    .command('create')
    .description('stores as of one moment, blobs and dead letters, while services go on')
    .argument('<directory>', 'new or empty')
    .option('--no-broker', 'leave dead letters out, where the broker does not answer')
    .option(
      '--stopped',
      'no service runs: for stores in a MongoDB that is no replica set, and gives no snapshot',
    )
    .action(action(create));
  group
    .command('verify')
    .description('compare every file of a backup with its manifest')
    .argument('<directory>')
    .action(action(verify));
  program
    .command('restore')
    .description('make the data directory from a backup, which is verified first')
    .argument('<directory>', 'of the backup')
    .option(
      '--force',
      'move aside what is in the data directory; remove the streams of the broker at NATS_URL; drop, for good, what the databases of MILLRACE_STORE_URL hold',
    )
    .action(action(restore));
};
