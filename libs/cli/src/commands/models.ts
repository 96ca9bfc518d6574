import { setTimeout } from 'node:timers/promises';
import { type ModelImport, ModelImportState, type ModelVersion } from '@millrace/contracts/registry';
import { type ErrorJson, errorFromJson, Internal, NotFound } from '@millrace/errors';
import type { Command } from 'commander';
import { action } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { figure, short, time, word } from '../format.ts';
import { instant, wholeNumber } from '../options.ts';
import { exportPackage } from '../project/download-package.ts';
import { uploadModel } from '../project/upload-model.ts';
import { parseModelVersion, resolveModelVersion } from '../references.ts';

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

/** `python_function sklearn (pickle: clean)` */
const kindOf = ({ flavors, pickles }: ModelVersion): string => {
  const scanned = pickles === undefined || pickles.verdict === 'none' ? '' : ` (pickle: ${pickles.verdict})`;
  return `${flavors.join(' ')}${scanned}`;
};

const versionRow = (version: ModelVersion): readonly string[] => [
  `${version.model}/${version.version}`,
  word(version.approvalState, 'APPROVAL_STATE'),
  version.verdict.toLowerCase() + (version.source === 'import' ? ' (imported)' : ''),
  kindOf(version),
  version.aliases.join(', '),
  Object.entries(version.metrics)
    .slice(0, 3)
    .map(([name, value]) => `${name} ${figure(value)}`)
    .join(', '),
  short(version.digest),
  time(version.registeredAt),
];

const versionHead = [
  'VERSION',
  'APPROVAL',
  'VERDICT',
  'FLAVORS',
  'ALIASES',
  'METRICS',
  'DIGEST',
  'REGISTERED',
];

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

interface ImportOptions {
  readonly name: string;
  readonly task?: string;
  readonly classes?: string;
  readonly target?: string;
  readonly description?: string;
  readonly reason?: string;
  readonly allowNonValidated?: boolean;
  readonly allowDangerousPickles?: boolean;
}

/** How often an import is asked how it stands. Milliseconds. */
const importPollMs = 500;

const importModel = async (
  context: CommandContext,
  directory: string,
  options: ImportOptions,
): Promise<void> => {
  const client = await context.client();
  const packageDigest = await uploadModel(client, directory, (path) =>
    context.output.note(`uploading ${path}`),
  );
  const { classes = '', task = '', target = '', description = '', reason = '' } = options;
  let { modelImport } = await client.registry.importModel({
    model: options.name,
    packageDigest,
    task,
    classes: classes === '' ? [] : classes.split(',').map((name) => name.trim()),
    target,
    description,
    allowNonValidatedModel: options.allowNonValidated ?? false,
    allowDangerousPickles: options.allowDangerousPickles ?? false,
    actor: { reason },
  });
  let told = '';
  while (modelImport?.state === ModelImportState.MODEL_IMPORT_STATE_RUNNING) {
    if (modelImport.message !== told) context.output.note(modelImport.message);
    told = modelImport.message;
    await setTimeout(importPollMs);
    ({ modelImport } = await client.registry.getModelImport({ id: modelImport.id }));
  }
  showImport(context, modelImport);
};

const showImport = (context: CommandContext, done: ModelImport | undefined): void => {
  if (done?.error !== undefined) throw errorFromJson(done.error as ErrorJson);
  const version = done?.modelVersion;
  if (done === undefined || version === undefined) throw new Internal('the import ended without a version');
  for (const warning of done.warnings) context.output.note(`warning: ${warning}`);
  const id = `${version.model}/${version.version}`;
  context.output.result(done, () =>
    context.output.write(
      `${id} is imported (${kindOf(version)}); no evaluation vouches for it. ` +
        `Approve it with: millrace approve ${id} --break-glass --reason "…"`,
    ),
  );
};

const exportModel = async (context: CommandContext, reference: string, directory: string): Promise<void> => {
  const client = await context.client();
  const { model, version } = await resolveModelVersion(client, reference);
  const { modelVersion } = await client.registry.getModelVersion({ model, version });
  if (modelVersion === undefined) throw new NotFound(`there is no ${model}/${version}`);
  const { digest } = modelVersion;
  await exportPackage(client, digest, directory);
  context.output.result({ model, version, digest, directory }, () =>
    context.output.write(
      `${model}/${version} is in ${directory}; MLflow loads it: mlflow.pyfunc.load_model("${directory}")`,
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
    .command('import <directory>')
    .description('make a version of a model directory that MLflow saved')
    .requiredOption('--name <model>', 'model that it becomes a version of')
    .option('--task <task>', 'regression or classification, where the model does not show it')
    .option('--classes <list>', 'its classes in the order of its probabilities: no,yes')
    .option('--target <name>', 'name of what it predicts')
    .option('--description <text>', 'kept with the version')
    .option('--allow-non-validated', 'register it although no evaluation vouches for it')
    .option('--allow-dangerous-pickles', 'load it although its pickles may run anything; needs a reason')
    .option('--reason <text>', 'why; kept in the audit log')
    .action(action(importModel));
  models
    .command('export <version> <directory>')
    .description(
      'write the package of name/number, name@alias or name (newest) as a model directory of MLflow',
    )
    .action(action(exportModel));
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
