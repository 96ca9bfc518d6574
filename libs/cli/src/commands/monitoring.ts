import type { Window } from '@millrace/contracts/monitoring';
import type { Command } from 'commander';
import pc from 'picocolors';
import { action } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { figure, time, word } from '../format.ts';
import { wholeNumber } from '../options.ts';

const drift = async (
  context: CommandContext,
  endpoint: string,
  options: { window?: number },
): Promise<void> => {
  const client = await context.client();
  const { output } = context;
  if (options.window !== undefined) {
    const { window } = await client.monitoring.getWindow({ id: `${endpoint}/${options.window}` });
    output.result(window, (found) => found !== undefined && showWindow(context, found));
    return;
  }
  const { windows } = await client.monitoring.listWindows({ endpoint });
  output.result(windows, () => {
    output.table(
      ['WINDOW', 'FROM', 'RECORDS', 'ERRORS', 'P95', 'DRIFTED FEATURES', 'PERFORMANCE'],
      windows.map((window) => [
        `${window.number}${window.closed ? '' : ' (open)'}`,
        time(window.from),
        String(window.records),
        String(window.errors),
        `${figure(window.latencyP95Ms)} ms`,
        window.drift
          .filter(({ drifted }) => drifted)
          .map(({ feature }) => feature)
          .join(', '),
        Object.entries(window.performance)
          .slice(0, 2)
          .map(([name, value]) => `${name} ${figure(value)}`)
          .join(', '),
      ]),
      'no windows yet: they close by count or age',
    );
    const newest = windows.find(({ closed }) => closed);
    if (newest !== undefined) showWindow(context, newest);
  });
};

const showWindow = ({ output }: CommandContext, window: Window): void => {
  output.write(`\n${pc.bold(window.id)} version ${window.version}, ${window.records} records`);
  output.table(
    ['FEATURE', 'TEST', 'STATISTIC', 'P', 'THRESHOLD', 'PSI', 'DRIFTED'],
    window.drift.map((result) => [
      result.feature,
      result.test,
      figure(result.statistic),
      result.pValue === undefined ? '' : result.pValue.toPrecision(3),
      figure(result.threshold),
      figure(result.psi),
      result.drifted ? 'yes' : '',
    ]),
    'no tests in this window',
  );
  for (const finding of window.qualityFindings) output.write(pc.yellow(finding));
};

const alerts = async (
  context: CommandContext,
  endpoint: string | undefined,
  options: { open?: boolean },
): Promise<void> => {
  const client = await context.client();
  const { alerts: found } = await client.monitoring.listAlerts({
    endpoint: endpoint ?? '',
    onlyOpen: options.open ?? false,
  });
  context.output.result(found, () =>
    context.output.table(
      ['ALERT', 'ENDPOINT', 'SEVERITY', 'STATE', 'RAISED', 'SUMMARY'],
      found.map((alert) => [
        alert.id,
        alert.endpoint,
        word(alert.severity, 'SEVERITY'),
        word(alert.state, 'ALERT_STATE'),
        time(alert.raisedAt),
        alert.summary,
      ]),
      'no alerts',
    ),
  );
};

const acknowledge = async (
  context: CommandContext,
  id: string,
  options: { reason?: string },
): Promise<void> => {
  const { alert } = await (await context.client()).monitoring.acknowledgeAlert({
    id,
    actor: { reason: options.reason ?? '' },
  });
  context.output.result(alert, () => context.output.write(`${id} is acknowledged`));
};

export const monitoringCommands = (program: Command): void => {
  program
    .command('drift <endpoint>')
    .description('windows of an endpoint and the drift report of the newest')
    .option('-w, --window <number>', 'the report of this window', wholeNumber)
    .action(action(drift));
  const group = program.command('alerts').description('alerts');
  group
    .command('list [endpoint]', { isDefault: true })
    .description('newest first')
    .option('--open', 'only those not resolved')
    .action(action(alerts));
  group
    .command('acknowledge <alert>')
    .description('say that somebody looks after it')
    .option('--reason <text>', 'why; kept in the audit log')
    .action(action(acknowledge));
};
