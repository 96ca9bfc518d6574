import { Command } from 'commander';
import type { CommandGroup } from './command.ts';
import { defaultUrl } from './context.ts';
import { version } from './version.ts';

interface LazyGroup {
  /** The commands that it adds. */
  readonly names: readonly string[];
  readonly load: () => Promise<CommandGroup>;
}

/** In the order of the help. Each comes with the libraries that its commands need, so only those called for are loaded. */
export const commandGroups: readonly LazyGroup[] = [
  {
    names: ['up', 'down', 'restart', 'status'],
    load: async () => (await import('./commands/lifecycle.ts')).lifecycleCommands,
  },
  {
    names: ['init'],
    load: async () => (await import('./commands/init.ts')).initCommand,
  },
  {
    names: ['run', 'push', 'plan', 'watch', 'cancel', 'resume', 'inspect', 'runs'],
    load: async () => (await import('./commands/runs.ts')).runCommands,
  },
  {
    names: ['recipes'],
    load: async () => (await import('./commands/recipes.ts')).recipeCommands,
  },
  {
    names: ['models', 'approve'],
    load: async () => (await import('./commands/models.ts')).modelCommands,
  },
  {
    names: ['deploy', 'endpoints', 'promote', 'rollback', 'predict'],
    load: async () => (await import('./commands/endpoints.ts')).endpointCommands,
  },
  {
    names: ['drift', 'alerts'],
    load: async () => (await import('./commands/monitoring.ts')).monitoringCommands,
  },
  {
    names: ['events', 'trace', 'lineage', 'prediction', 'audit', 'dead'],
    load: async () => (await import('./commands/observe.ts')).observeCommands,
  },
  {
    names: ['triggers', 'reactions'],
    load: async () => (await import('./commands/automation.ts')).automationCommands,
  },
  {
    names: ['env'],
    load: async () => (await import('./commands/environments.ts')).environmentCommands,
  },
  {
    names: ['gc'],
    load: async () => (await import('./commands/garbage.ts')).garbageCommands,
  },
  {
    names: ['bridge'],
    load: async () => (await import('./commands/bridge.ts')).bridgeCommands,
  },
  {
    names: ['tokens'],
    load: async () => (await import('./commands/tokens.ts')).tokenCommands,
  },
  {
    names: ['webhooks'],
    load: async () => (await import('./commands/webhooks.ts')).webhookCommands,
  },
  {
    names: ['certs'],
    load: async () => (await import('./commands/certs.ts')).certificateCommands,
  },
  {
    names: ['backup', 'restore'],
    load: async () => (await import('./commands/backup.ts')).backupCommands,
  },
  {
    names: ['doctor'],
    load: async () => (await import('./commands/doctor.ts')).doctorCommand,
  },
];

/** Options of the program that take a value. */
const valued = new Set(['--url', '--data-dir']);

const firstWord = (args: readonly string[]): string | undefined =>
  args.find((arg, index) => !arg.startsWith('-') && !valued.has(args[index - 1] ?? ''));

/** The command line of `millrace`: with the commands that `args` may mean, or all. */
export const createProgram = async (args: readonly string[] = []): Promise<Command> => {
  const word = firstWord(args) ?? '';
  const called = commandGroups.filter(({ names }) => names.includes(word));
  const program = new Command('millrace')
    .description('The whole life of a model: data, training, evaluation, registry, deployment, monitoring.')
    .version(version)
    .option('--json', 'print the result as JSON')
    .option('--url <address>', `gateway to talk to (default: MILLRACE_URL, the running one, ${defaultUrl})`)
    .option('--data-dir <directory>', 'data directory (default: MILLRACE_DATA_DIR, .millrace)')
    .showHelpAfterError('(add --help for what it takes)')
    .addHelpText('after', exitCodes);
  const groups = called.length > 0 ? called : commandGroups;
  for (const { load } of groups) (await load())(program);
  return program;
};

const exitCodes = `
Exit codes:
  0 done                     5 refused by a gate, policy or state
  1 a defect of Millrace     6 not allowed
  2 wrong input              7 a limit is reached (disk, size)
  3 not found                8 a service does not answer
  4 somebody was faster      9 timed out      130 cancelled`;
