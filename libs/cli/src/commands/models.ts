import type { ModelVersion } from '@millrace/contracts/registry';
import type { Command } from 'commander';
import { action } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { figure, short, time, word } from '../format.ts';
import { instant, wholeNumber } from '../options.ts';
import { parseModelVersion } from '../references.ts';

const listModels = async (context: CommandContext): Promise<void> => {
  const { models } = await (await context.client()).registry.listModels();
  context.output.result(models, () =>
    context.output.table(
      ['MODEL', 'LATEST', 'ALIASES'],
      models.map(({ name, latestVersion, aliases }) => [
        name,
        String(latestVersion),
        Object.entries(aliases)
          .map(([alias, version]) => `${alias} → ${version}`)
          .join(', '),
      ]),
      'no models yet',
    ),
  );
};

const versionRow = (version: ModelVersion): readonly string[] => [
  `${version.model}/${version.version}`,
  word(version.approvalState, 'APPROVAL_STATE'),
  version.verdict.toLowerCase(),
  version.aliases.join(', '),
  Object.entries(version.metrics)
    .slice(0, 3)
    .map(([name, value]) => `${name} ${figure(value)}`)
    .join(', '),
  short(version.digest),
  time(version.registeredAt),
];

const versionHead = ['VERSION', 'APPROVAL', 'VERDICT', 'ALIASES', 'METRICS', 'DIGEST', 'REGISTERED'];

const showModel = async (context: CommandContext, model: string): Promise<void> => {
  const { modelVersions } = await (await context.client()).registry.listModelVersions({ model });
  context.output.result(modelVersions, () =>
    context.output.table(versionHead, modelVersions.map(versionRow), 'no versions'),
  );
};

const history = async (context: CommandContext, model: string, options: { at?: string }): Promise<void> => {
  const client = await context.client();
  if (options.at !== undefined) {
    const { at } = options;
    const { modelVersion, move } = await client.registry.resolveAlias({ model, alias: 'production', at });
    context.output.result({ modelVersion, move }, () =>
      context.output.write(
        `${model}/${modelVersion?.version} was production at ${at}, since ${move?.at}, by ${move?.actor?.name}`,
      ),
    );
    return;
  }
  const { moves } = await client.registry.listAliasHistory({ model });
  context.output.result(moves, () =>
    context.output.table(
      ['AT', 'ALIAS', 'FROM', 'TO', 'BY', 'WHY'],
      moves.map(({ at, alias, fromVersion, toVersion, actor }) => [
        time(at),
        alias,
        fromVersion === 0 ? '' : String(fromVersion),
        toVersion === 0 ? '' : String(toVersion),
        actor?.name ?? '',
        actor?.reason ?? '',
      ]),
      'no alias was ever set',
    ),
  );
};

interface ApproveOptions {
  readonly reason?: string;
  readonly breakGlass?: boolean;
}

const approve = async (context: CommandContext, text: string, options: ApproveOptions): Promise<void> => {
  const { modelVersion } = await (await context.client()).registry.approveModelVersion({
    ...parseModelVersion(text),
    breakGlass: options.breakGlass ?? false,
    actor: { reason: options.reason ?? '' },
  });
  context.output.result(modelVersion, () =>
    context.output.write(`${text} is ${word(modelVersion?.approvalState ?? '', 'APPROVAL_STATE')}`),
  );
};

const reject = async (context: CommandContext, text: string, options: { reason: string }): Promise<void> => {
  const { modelVersion } = await (await context.client()).registry.rejectModelVersion({
    ...parseModelVersion(text),
    actor: { reason: options.reason },
  });
  context.output.result(modelVersion, () => context.output.write(`${text} is rejected`));
};

const alias = async (
  context: CommandContext,
  text: string,
  name: string,
  options: { expected?: number; reason?: string },
): Promise<void> => {
  const client = await context.client();
  const { model, version } = parseModelVersion(text);
  const current = (await client.registry.getModel({ name: model })).model?.aliases[name] ?? 0;
  const { move } = await client.registry.setAlias({
    model,
    alias: name,
    version,
    expectedVersion: options.expected ?? current,
    actor: { reason: options.reason ?? '' },
  });
  context.output.result(move, () => context.output.write(`${model}@${name} is now version ${version}`));
};

export const modelCommands = (program: Command): void => {
  const models = program.command('models').description('registered models');
  models.command('list', { isDefault: true }).description('all models').action(action(listModels));
  models.command('show <model>').description('versions of a model').action(action(showModel));
  models
    .command('history <model>')
    .description('where its aliases pointed, when, and by whom')
    .option('--at <time>', 'what was production at this time', instant)
    .action(action(history));
  models
    .command('alias <version> <alias>')
    .description('point an alias to a version')
    .option('--expected <number>', 'fail unless it points there now', wholeNumber)
    .option('--reason <text>', 'why; kept in the audit log')
    .action(action(alias));
  models
    .command('reject <version>')
    .description('refuse a version')
    .requiredOption('--reason <text>', 'why; kept in the audit log')
    .action(action(reject));
  program
    .command('approve <version>')
    .description('allow a model version to be promoted')
    .option('--reason <text>', 'why; kept in the audit log')
    .option('--break-glass', 'against the policy; needs a reason')
    .action(action(approve));
};
