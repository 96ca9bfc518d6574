import { readFile } from 'node:fs/promises';
import { type Endpoint, type Revision, Strategy } from '@millrace/contracts/deployment';
import { Invalid, messageOf } from '@millrace/errors';
import type { Command } from 'commander';
import pc from 'picocolors';
import { action } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { deployAndWait } from '../deploy-and-wait.ts';
import { state, time, word } from '../format.ts';
import { wholeNumber, wholeNumbers } from '../options.ts';
import { resolveModelVersion } from '../references.ts';

const strategies: Readonly<Record<string, Strategy>> = {
  direct: Strategy.STRATEGY_DIRECT,
  canary: Strategy.STRATEGY_CANARY,
  shadow: Strategy.STRATEGY_SHADOW,
  'blue-green': Strategy.STRATEGY_BLUE_GREEN,
};

interface DeployOptions {
  readonly endpoint: string;
  readonly strategy: string;
  readonly steps?: number[];
  readonly automatic?: boolean;
  readonly minRequests?: number;
  readonly alias?: string;
  readonly reason?: string;
}

const deploy = async (context: CommandContext, reference: string, options: DeployOptions): Promise<void> => {
  const client = await context.client();
  const strategy = strategies[options.strategy];
  if (strategy === undefined) {
    throw Invalid.field(
      '--strategy',
      `"${options.strategy}" is not one of ${Object.keys(strategies).join(', ')}`,
    );
  }
  const { model, version } = await resolveModelVersion(client, reference);
  const command = {
    endpoint: options.endpoint,
    model,
    modelVersion: version,
    alias: options.alias ?? '',
    policy: {
      strategy,
      canarySteps: options.steps ?? [],
      automatic: options.automatic ?? false,
      minRequests: options.minRequests ?? 0,
    },
    actor: { reason: options.reason ?? '' },
  };
  const { endpoint, revision } = await deployAndWait(client, command, (text) => context.output.note(text));
  context.output.result({ endpoint, revision }, () => {
    context.output.write(`${options.endpoint}: revision ${revision?.number} of ${model}/${version}`);
    if (endpoint !== undefined) context.output.write(trafficOf(endpoint));
  });
};

const trafficOf = ({ traffic }: Endpoint): string =>
  traffic.length === 0
    ? 'no traffic yet'
    : traffic
        .map(
          ({ revision, percent, shadow }) => `revision ${revision} ${percent} %${shadow ? ' (shadow)' : ''}`,
        )
        .join(', ');

const list = async (context: CommandContext): Promise<void> => {
  const { endpoints } = await (await context.client()).deployment.listEndpoints();
  context.output.result(endpoints, () =>
    context.output.table(
      ['ENDPOINT', 'TRAFFIC', 'ROLLOUT', 'URL'],
      endpoints.map((endpoint) => [
        endpoint.name,
        trafficOf(endpoint),
        word(endpoint.rollout?.state ?? '', 'ROLLOUT_STATE'),
        endpoint.url,
      ]),
      'no endpoints yet',
    ),
  );
};

const revisionRow = (revision: Revision): readonly string[] => [
  String(revision.number),
  `${revision.model}/${revision.modelVersion}`,
  word(revision.state, 'REVISION_STATE'),
  String(revision.servedRequests),
  time(revision.createdAt),
  revision.error,
];

const show = async (context: CommandContext, endpoint: string): Promise<void> => {
  const client = await context.client();
  const [{ endpoint: found }, { revisions }] = await Promise.all([
    client.deployment.getEndpoint({ name: endpoint }),
    client.deployment.listRevisions({ endpoint }),
  ]);
  context.output.result({ endpoint: found, revisions }, () => {
    if (found !== undefined) {
      context.output.write(`${pc.bold(found.name)} ${trafficOf(found)}`);
      const rollout = found.rollout;
      if (rollout !== undefined) {
        const why = rollout.reason === '' ? '' : `: ${rollout.reason}`;
        context.output.write(
          `rollout of revision ${rollout.candidateRevision} ${state(word(rollout.state, 'ROLLOUT_STATE'))}${why}`,
        );
      }
    }
    context.output.table(
      ['#', 'MODEL', 'STATE', 'SERVED', 'CREATED', 'ERROR'],
      revisions.map(revisionRow),
      'no revisions',
    );
  });
};

const promote = async (
  context: CommandContext,
  endpoint: string,
  options: { full?: boolean; reason?: string },
): Promise<void> => {
  const answer = await (await context.client()).deployment.promote({
    endpoint,
    full: options.full ?? false,
    actor: { reason: options.reason ?? '' },
  });
  context.output.result(answer.endpoint, (found) =>
    context.output.write(found === undefined ? '' : trafficOf(found)),
  );
};

const rollback = async (
  context: CommandContext,
  endpoint: string,
  options: { reason: string },
): Promise<void> => {
  const answer = await (await context.client()).deployment.rollback({
    endpoint,
    actor: { reason: options.reason },
  });
  context.output.result(answer.endpoint, (found) =>
    context.output.write(found === undefined ? '' : trafficOf(found)),
  );
};

const readInput = async (file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    throw Invalid.field('--file', messageOf(thrown), { cause: thrown });
  }
};

const predict = async (
  context: CommandContext,
  endpoint: string,
  row: string | undefined,
  options: { file?: string },
): Promise<void> => {
  const text = options.file === undefined ? row : await readInput(options.file);
  if (text === undefined) {
    throw new Invalid('nothing to predict', {
      hint: 'Give a JSON row such as \'{"distance": 762}\', or --file rows.json.',
    });
  }
  let rows: unknown;
  try {
    rows = JSON.parse(text);
  } catch (thrown) {
    throw new Invalid(`the input is not JSON: ${(thrown as Error).message}`);
  }
  const answer = await (await context.client()).invoke(endpoint, { dataframe_records: [rows].flat() });
  context.output.write(JSON.stringify(answer, null, 2));
};

export const endpointCommands = (program: Command): void => {
  program
    .command('deploy <model>')
    .description('deploy a model version: name/number, name@alias, or name for the newest')
    .requiredOption('-e, --endpoint <name>', 'endpoint; created when new')
    .option('--strategy <strategy>', Object.keys(strategies).join(', '), 'canary')
    .option('--steps <percentages>', 'canary steps, such as 10,50', wholeNumbers)
    .option('--automatic', 'promote from step to step without a hand')
    .option('--min-requests <count>', 'requests that a step must answer well (default 50)', wholeNumber)
    .option('--alias <alias>', 'registry alias that follows the endpoint')
    .option('--reason <text>', 'why; kept in the audit log')
    .action(action(deploy));
  const endpoints = program.command('endpoints').description('endpoints and their traffic');
  endpoints.command('list', { isDefault: true }).description('all endpoints').action(action(list));
  endpoints.command('show <endpoint>').description('traffic, rollout and revisions').action(action(show));
  program
    .command('promote <endpoint>')
    .description('give the candidate its next share of the traffic')
    .option('--full', 'all of it')
    .option('--reason <text>', 'why; kept in the audit log')
    .action(action(promote));
  program
    .command('rollback <endpoint>')
    .description('back to the revision that served before')
    .requiredOption('--reason <text>', 'why; kept in the audit log')
    .action(action(rollback));
  program
    .command('predict <endpoint> [row]')
    .description('predict a row given as JSON')
    .option('-f, --file <path>', 'JSON file with one row or a list of rows')
    .action(action(predict));
};
