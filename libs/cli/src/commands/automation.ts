import { Trigger } from '@millrace/contracts/pipeline';
import { Invalid } from '@millrace/errors';
import type { Command } from 'commander';
import { action } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { time } from '../format.ts';
import { positiveNumber } from '../options.ts';

interface TriggerOptions {
  readonly project: string;
  readonly profile?: string;
  readonly cron?: string;
  readonly timeZone?: string;
  readonly event?: string;
  readonly where?: string[];
  readonly dataset?: string;
  readonly coolDown?: number;
}

/** As REST answers it: the condition under its own name. */
const jsonOf = (trigger: Trigger | undefined): unknown =>
  trigger === undefined ? undefined : Trigger.toJSON(trigger);

const conditionOf = (options: TriggerOptions): Trigger['condition'] => {
  const given = [options.cron, options.event, options.dataset].filter((value) => value !== undefined);
  if (given.length !== 1) throw new Invalid('a trigger has exactly one of --cron, --event and --dataset');
  if (options.cron !== undefined) {
    return { $case: 'cron', value: { expression: options.cron, timeZone: options.timeZone ?? '' } };
  }
  if (options.dataset !== undefined) return { $case: 'dataset', value: { dataset: options.dataset } };
  const equals = Object.fromEntries(
    (options.where ?? []).map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw Invalid.field('--where', `"${text}" is not path=value`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
  return { $case: 'event', value: { subject: options.event ?? '', equals } };
};

const create = async (context: CommandContext, name: string, options: TriggerOptions): Promise<void> => {
  const { trigger } = await (await context.client()).pipeline.createTrigger({
    trigger: {
      name,
      project: options.project,
      profile: options.profile ?? '',
      condition: conditionOf(options),
      enabled: true,
      coolDownSeconds: options.coolDown ?? 0,
    },
  });
  context.output.result(jsonOf(trigger), () => context.output.write(`${name} is set`));
};

const describe = ({ condition }: Trigger): string => {
  if (condition === undefined) return '';
  if (condition.$case === 'cron') return `cron ${condition.value.expression} ${condition.value.timeZone}`;
  if (condition.$case === 'dataset') return `dataset ${condition.value.dataset}`;
  return `event ${condition.value.subject}`;
};

const list = async (context: CommandContext): Promise<void> => {
  const { triggers } = await (await context.client()).pipeline.listTriggers();
  context.output.result(triggers.map(jsonOf), () =>
    context.output.table(
      ['TRIGGER', 'PROJECT', 'WHEN', 'NEXT', 'LAST', 'FIRED'],
      triggers.map((trigger) => [
        trigger.name,
        trigger.project,
        describe(trigger),
        time(trigger.nextFireAt),
        time(trigger.lastFiredAt),
        String(trigger.fired),
      ]),
      'no triggers',
    ),
  );
};

const remove = async (context: CommandContext, name: string): Promise<void> => {
  await (await context.client()).pipeline.deleteTrigger({ name });
  context.output.result({ deleted: name }, () => context.output.write(`${name} is deleted`));
};

const reactingServices = ['pipeline', 'registry', 'deployment', 'monitoring'] as const;

const listReactions = async (context: CommandContext): Promise<void> => {
  const client = await context.client();
  const found = await Promise.all(
    reactingServices.map(async (service) => ({
      service,
      reactions: (await client[service].listReactions({})).reactions,
    })),
  );
  context.output.result(found, () =>
    context.output.table(
      ['SERVICE', 'REACTION', 'ON', 'FIRED', 'WHAT IT DOES'],
      found.flatMap(({ service, reactions }) =>
        reactions.map((item) => [
          service,
          item.name,
          item.enabled ? 'on' : 'off',
          String(item.fired),
          item.description,
        ]),
      ),
      'no reactions',
    ),
  );
};

const switchReaction = async (
  context: CommandContext,
  text: string,
  options: { off?: boolean; reason?: string },
): Promise<void> => {
  const client = await context.client();
  const [service, name = ''] = text.split('/');
  const known = reactingServices.find((item) => item === service);
  if (known === undefined) throw new Invalid(`"${text}" is not service/reaction: see \`millrace reactions\``);
  const { reaction } = await client[known].setReaction({
    name,
    enabled: options.off !== true,
    actor: { reason: options.reason ?? '' },
  });
  context.output.result(reaction, () => context.output.write(`${text} is ${options.off ? 'off' : 'on'}`));
};

export const automationCommands = (program: Command): void => {
  const triggers = program.command('triggers').description('what starts runs by itself');
  triggers.command('list', { isDefault: true }).description('all triggers').action(action(list));
  triggers
    .command('set <name>')
    .description('create or replace a trigger')
    .requiredOption('--project <name>', 'project whose latest pushed files are run')
    .option('-P, --profile <name>', 'profile')
    .option('--cron <expression>', 'five or six fields')
    .option('--time-zone <zone>', 'IANA name (default UTC)')
    .option('--event <subject>', 'subject filter below millrace.evt')
    .option('--where <path=value...>', 'values that the event must carry')
    .option('--dataset <name>', 'a new version of this dataset')
    .option('--cool-down <seconds>', 'least time between two runs', positiveNumber)
    .action(action(create));
  triggers.command('delete <name>').description('delete a trigger').action(action(remove));
  const reactions = program.command('reactions').description('rules by which services react to events');
  reactions.command('list', { isDefault: true }).description('all reactions').action(action(listReactions));
  reactions
    .command('switch <service/reaction>')
    .description('switch a reaction on, or off with --off')
    .option('--off', 'switch it off')
    .option('--reason <text>', 'why; kept in the audit log')
    .action(action(switchReaction));
};
