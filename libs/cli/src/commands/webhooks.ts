import type { Delivery, DeliveryState, Webhook } from '@millrace/contracts/bridge';
import { FailedPrecondition, Invalid } from '@millrace/errors';
import { type Command, Option } from 'commander';
import pc from 'picocolors';
import { action } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { duration, state, time, word } from '../format.ts';
import { instant, wholeNumber } from '../options.ts';
import { plain } from '../output.ts';

interface CreateOptions {
  readonly type?: string[];
  readonly entity?: string[];
  readonly description?: string;
  readonly unordered?: boolean;
  readonly reason?: string;
}

interface Reasoned {
  readonly reason?: string;
}

const actorOf = ({ reason }: Reasoned) => ({ reason: reason ?? '' });

const showSecret = ({ output }: CommandContext, secret: string): void => {
  output.write(`${pc.bold('secret')} ${secret}`);
  output.note('Keep it now: it cannot be shown again. Receivers verify signatures with it.');
};

const create = async (context: CommandContext, url: string, options: CreateOptions): Promise<void> => {
  const answer = await (await context.client()).bridge.createWebhook({
    url,
    description: options.description ?? '',
    filter: { eventTypes: options.type ?? [], entities: options.entity ?? [] },
    unordered: options.unordered ?? false,
    actor: actorOf(options),
  });
  context.output.result(answer, ({ webhook, secret }) => {
    context.output.write(`${webhook?.id} posts to ${plain(webhook?.url ?? '')}`);
    showSecret(context, secret);
  });
};

const stateOf = ({ state: literal }: Webhook): string => word(literal, 'WEBHOOK_STATE');

const list = async (context: CommandContext): Promise<void> => {
  const { webhooks } = await (await context.client()).bridge.listWebhooks({ page: { limit: 1000 } });
  context.output.result(webhooks, () =>
    context.output.table(
      ['WEBHOOK', 'URL', 'STATE', 'EVENTS', 'WAITING', 'LAST SUCCESS'],
      webhooks.map((webhook) => [
        webhook.id,
        webhook.url,
        stateOf(webhook),
        [...(webhook.filter?.eventTypes ?? []), ...(webhook.filter?.entities ?? [])].join(', ') || 'all',
        String(webhook.waiting),
        time(webhook.lastSucceededAt),
      ]),
      'no webhooks',
    ),
  );
};

const show = async (context: CommandContext, id: string): Promise<void> => {
  const { webhook } = await (await context.client()).bridge.getWebhook({ id });
  context.output.result(webhook, (found) => {
    if (found === undefined) return;
    const rows: [string, string][] = [
      ['url', found.url],
      ['description', found.description],
      ['state', stateOf(found)],
      ['switched off because', found.disabledReason],
      ['event types', found.filter?.eventTypes.join(', ') || 'all'],
      ['entities', found.filter?.entities.join(', ') || 'all'],
      ['order', found.unordered ? 'none' : 'of each entity'],
      ['waiting', String(found.waiting)],
      ['failures in a row', String(found.consecutiveFailures)],
      ['last success', time(found.lastSucceededAt)],
      ['old secret until', time(found.oldSecretUntil)],
      ['created', time(found.createdAt)],
    ];
    context.output.table(
      ['', found.id],
      rows.filter(([, value]) => value !== ''),
      '',
    );
  });
};

const test = async (context: CommandContext, id: string, options: Reasoned): Promise<void> => {
  const answer = await (await context.client()).bridge.testWebhook({ id, actor: actorOf(options) });
  const { attempt, succeeded } = answer;
  context.output.result(answer, () => {
    if (succeeded) {
      context.output.write(
        `${pc.green('accepted')} with ${attempt?.statusCode} after ${duration(attempt?.durationMs ?? 0)}`,
      );
    }
  });
  if (!succeeded) {
    throw new FailedPrecondition(`the receiver did not accept the test event: ${attempt?.error}`);
  }
};

const switchTo =
  (active: boolean) =>
  async (context: CommandContext, id: string, options: Reasoned): Promise<void> => {
    const { webhook } = await (await context.client()).bridge.updateWebhook({
      id,
      active,
      actor: actorOf(options),
    });
    context.output.result(webhook, () => context.output.write(`${id} is ${active ? 'on' : 'off'}`));
  };

const remove = async (context: CommandContext, id: string, options: Reasoned): Promise<void> => {
  await (await context.client()).bridge.deleteWebhook({ id, actor: actorOf(options) });
  context.output.result({ id }, () => context.output.write(`${id} is deleted`));
};

const rotateSecret = async (
  context: CommandContext,
  id: string,
  options: Reasoned & { readonly overlap?: number },
): Promise<void> => {
  const answer = await (await context.client()).bridge.rotateWebhookSecret({
    id,
    ...(options.overlap === undefined ? {} : { overlapSeconds: options.overlap }),
    actor: actorOf(options),
  });
  context.output.result(answer, ({ webhook, secret }) => {
    showSecret(context, secret);
    const until = webhook?.oldSecretUntil;
    context.output.note(
      until === undefined ? 'The old one no longer signs.' : `The old one signs until ${time(until)}.`,
    );
  });
};

const states = ['pending', 'retrying', 'succeeded', 'failed', 'cancelled'] as const;

const deliveries = async (
  context: CommandContext,
  id: string,
  options: { readonly state?: string; readonly limit?: number },
): Promise<void> => {
  const wanted = options.state === undefined ? 'UNSPECIFIED' : options.state.toUpperCase();
  const { deliveries: found } = await (await context.client()).bridge.listDeliveries({
    webhookId: id,
    state: `DELIVERY_STATE_${wanted}` as DeliveryState,
    page: { limit: options.limit ?? 50 },
  });
  context.output.result(found, () =>
    context.output.table(
      ['DELIVERY', 'EVENT', 'ENTITY', 'STATE', 'TRIES', 'MADE', 'NEXT', 'LAST ANSWER'],
      found.map((delivery) => [
        delivery.id,
        delivery.eventType,
        delivery.entity,
        state(word(delivery.state, 'DELIVERY_STATE')),
        String(delivery.attemptCount),
        time(delivery.createdAt),
        time(delivery.nextAttemptAt),
        lastAnswer(delivery),
      ]),
      'no deliveries',
    ),
  );
};

const lastAnswer = ({ attempts }: Delivery): string => {
  const last = attempts.at(-1);
  if (last === undefined) return '';
  return last.error === '' ? `${last.statusCode} after ${duration(last.durationMs)}` : last.error;
};

const redeliver = async (
  context: CommandContext,
  id: string,
  deliveryId: string | undefined,
  options: Reasoned & {
    readonly since?: string;
    readonly until?: string;
    readonly missed?: boolean;
    readonly failed?: boolean;
  },
): Promise<void> => {
  const ranged =
    options.since !== undefined || options.until !== undefined || options.missed || options.failed;
  if ((deliveryId === undefined) !== Boolean(ranged)) {
    throw new Invalid('name one delivery, or say which: --failed, --missed, --since, --until');
  }
  const answer = await (await context.client()).bridge.redeliver({
    webhookId: id,
    deliveryId: deliveryId ?? '',
    ...(options.since === undefined ? {} : { since: options.since }),
    ...(options.until === undefined ? {} : { until: options.until }),
    missed: options.missed ?? false,
    actor: actorOf(options),
  });
  context.output.result(answer, ({ count }) =>
    context.output.write(count === 0 ? 'nothing to deliver again' : `${count} are delivered again`),
  );
};

const reason = ['--reason <text>', 'why; it is in the event of the change'] as const;

export const webhookCommands = (program: Command): void => {
  const group = program.command('webhooks').description('events sent to other systems by HTTP');
  group
    .command('create <url>')
    .description('post events to an address; prints the secret that signs them, once')
    .option('--type <pattern...>', 'only these event types: millrace.registry.*, millrace.*.step.failed.v1')
    .option('--entity <pattern...>', 'only these entities: registry.model_version/flights/*')
    .option('--description <text>', 'what it is for')
    .option('--unordered', 'do not hold events back while an earlier one of their entity is tried again')
    .option(...reason)
    .action(action(create));
  group.command('list', { isDefault: true }).description('all webhooks').action(action(list));
  group.command('show <webhook>').description('one webhook and how it does').action(action(show));
  group
    .command('test <webhook>')
    .description('send a test event now and tell how the receiver takes it')
    .option(...reason)
    .action(action(test));
  group
    .command('disable <webhook>')
    .description('switch off: what waits is kept, what happens meanwhile is not queued')
    .option(...reason)
    .action(action(switchTo(false)));
  group
    .command('enable <webhook>')
    .description('switch on again, whoever switched it off')
    .option(...reason)
    .action(action(switchTo(true)));
  group
    .command('delete <webhook>')
    .description('delete it with what waits and its log')
    .option(...reason)
    .action(action(remove));
  group
    .command('rotate-secret <webhook>')
    .description('make a new secret; both sign for a time')
    .option(
      '--overlap <seconds>',
      'how long the old one signs too (default a day; 0: no longer)',
      wholeNumber,
    )
    .option(...reason)
    .action(action(rotateSecret));
  group
    .command('deliveries <webhook>')
    .description('the log, newest first')
    .addOption(new Option('--state <state>', 'only these').choices([...states]))
    .option('-n, --limit <count>', 'how many (default 50)', wholeNumber)
    .action(action(deliveries));
  group
    .command('redeliver <webhook> [delivery]')
    .description('send again: one delivery, or all of a time that did not arrive')
    .option('--failed', 'all that failed')
    .option('--since <time>', 'those that failed, made at or after it', instant)
    .option('--until <time>', 'those that failed, made before it', instant)
    .option('--missed', 'also events that the webhook never got, as far as the bus has them')
    .option(...reason)
    .action(action(redeliver));
};
