import { Command } from 'commander';
import { automationCommands } from './commands/automation.ts';
import { backupCommands } from './commands/backup.ts';
import { bridgeCommands } from './commands/bridge.ts';
import { certificateCommands } from './commands/certs.ts';
import { doctorCommand } from './commands/doctor.ts';
import { endpointCommands } from './commands/endpoints.ts';
import { environmentCommands } from './commands/environments.ts';
import { garbageCommands } from './commands/garbage.ts';
import { initCommand } from './commands/init.ts';
import { lifecycleCommands } from './commands/lifecycle.ts';
import { modelCommands } from './commands/models.ts';
import { monitoringCommands } from './commands/monitoring.ts';
import { observeCommands } from './commands/observe.ts';
import { recipeCommands } from './commands/recipes.ts';
import { runCommands } from './commands/runs.ts';
import { tokenCommands } from './commands/tokens.ts';
import { webhookCommands } from './commands/webhooks.ts';
import { defaultUrl } from './context.ts';
import { version } from './version.ts';

/** The command line of `millrace`. */
export const createProgram = (): Command => {
  const program = new Command('millrace')
    .description('The whole life of a model: data, training, evaluation, registry, deployment, monitoring.')
    .version(version)
    .option('--json', 'print the result as JSON')
    .option('--url <address>', `gateway to talk to (default: MILLRACE_URL, the running one, ${defaultUrl})`)
    .option('--data-dir <directory>', 'data directory (default: MILLRACE_DATA_DIR, .millrace)')
    .showHelpAfterError('(add --help for what it takes)')
    .addHelpText('after', exitCodes);
  lifecycleCommands(program);
  initCommand(program);
  runCommands(program);
  recipeCommands(program);
  modelCommands(program);
  endpointCommands(program);
  monitoringCommands(program);
  observeCommands(program);
  automationCommands(program);
  environmentCommands(program);
  garbageCommands(program);
  bridgeCommands(program);
  tokenCommands(program);
  webhookCommands(program);
  certificateCommands(program);
  backupCommands(program);
  doctorCommand(program);
  return program;
};

const exitCodes = `
Exit codes:
  0 done                     5 refused by a gate, policy or state
  1 a defect of Millrace     6 not allowed
  2 wrong input              7 a limit is reached (disk, size)
  3 not found                8 a service does not answer
  4 somebody was faster      9 timed out      130 cancelled`;
