import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type ErrorJson,
  errorFromJson,
  FailedPrecondition,
  Internal,
  Invalid,
  messageOf,
  NotFound,
  Unavailable,
} from '@millrace/errors';
import { type ControlAnswer, isAlive, orderRestart, readRunningState } from '@millrace/installation';
import type { Command } from 'commander';
import pc from 'picocolors';
import { action } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { wholeNumber } from '../options.ts';

interface UpOptions {
  /** 0: any free one. */
  readonly port?: number | string;
  readonly separate?: boolean;
  /** Mutual TLS between the services. */
  readonly tls?: boolean;
  readonly detach?: boolean;
}

type UpMessage =
  | { readonly progress: { readonly message: string } }
  | { readonly ready: { readonly url: string; readonly natsUrl: string } }
  | { readonly failed: ErrorJson };

/** Starts Millrace as a child process and resolves when it answers. The child ends with its parent unless detached. */
export const startMillrace = async (
  context: CommandContext,
  { port, separate = false, tls = false, detach = false }: UpOptions,
): Promise<{ url: string; stop: () => Promise<void>; ended: Promise<number> }> => {
  if (tls && !separate) {
    throw Invalid.field('--tls', 'is for services that run apart: add --separate');
  }
  mkdirSync(context.dataDir, { recursive: true, mode: 0o700 });
  const logFile = join(context.dataDir, 'millrace.log');
  const log = openSync(logFile, 'a', 0o600);
  const entry = fileURLToPath(import.meta.resolve(`@millrace/embedded/${separate ? 'separate' : 'main'}`));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry], {
    env: {
      ...process.env,
      MILLRACE_DATA_DIR: context.dataDir,
      MILLRACE_LOG_FILE: logFile,
      ...(tls ? { MILLRACE_TLS_DIR: join(context.dataDir, 'certificates') } : {}),
      ...(port === undefined ? {} : { MILLRACE_PORT: String(port) }),
    },
    stdio: ['ignore', log, log, 'ipc'],
    // In a group of its own a Ctrl-C reaches only us, and we end it in order.
    detached: true,
  });
  closeSync(log);
  const ended = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
  const stop = async () => {
    if (child.exitCode === null && child.pid !== undefined && isAlive(child.pid)) child.kill('SIGTERM');
    await ended;
  };
  const url = await new Promise<string>((resolve, reject) => {
    child.on('message', (message: UpMessage) => {
      if ('progress' in message) context.output.note(message.progress.message);
      else if ('ready' in message) resolve(message.ready.url);
      else reject(errorFromJson(message.failed));
    });
    void ended.then((code) =>
      reject(
        new Internal(`Millrace ended with code ${code} while starting`, { hint: `Its log is ${logFile}.` }),
      ),
    );
  });
  if (detach) {
    // It ends with the channel to us unless it was told to outlive us.
    await new Promise((resolve) => child.send({ detach: true }, resolve));
    child.disconnect();
    child.unref();
  }
  return { url, stop, ended };
};

/**
 * Starts a Millrace that outlives the command where none answers, unless somebody said which one to talk to. It takes
 * the usual port where that is free, so that other projects use it too.
 */
export const ensureRunning = async (context: CommandContext): Promise<void> => {
  if (context.isAddressed || (await answers(context))) return;
  const { output, dataDir } = context;
  output.note(`no Millrace runs: starting one with its data in ${dataDir} …`);
  const start = async (more: UpOptions) => (await startMillrace(context, { ...more, detach: true })).url;
  const url = await start({}).catch((thrown) => {
    if (/EADDRINUSE/.test(messageOf(thrown))) return start({ port: 0 });
    throw thrown;
  });
  output.note(`Millrace is up at ${url} and stays up; \`millrace down --data-dir ${dataDir}\` ends it`);
};

const answers = async (context: CommandContext): Promise<boolean> => {
  try {
    await (await context.client()).status();
    return true;
  } catch (thrown) {
    if (!(thrown instanceof Unavailable)) throw thrown;
    // The next client looks again where Millrace runs.
    await context.close();
    return false;
  }
};

const up = async (context: CommandContext, options: UpOptions): Promise<void> => {
  const started = performance.now();
  const millrace = await startMillrace(context, options);
  const { output } = context;
  output.result({ url: millrace.url, dataDir: context.dataDir }, ({ url }) => {
    output.write(
      `${pc.green('Millrace is up')} at ${url} ${pc.dim(`after ${Math.round(performance.now() - started)} ms`)}`,
    );
    output.write(pc.dim(`data and log in ${context.dataDir}`));
  });
  if (options.detach) return;
  output.note(pc.dim('Ctrl-C ends it.'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void millrace.stop());
  const code = await millrace.ended;
  if (code !== 0) throw new Internal(`Millrace ended with code ${code}`);
};

/** How long a stopping Millrace may take before it is given up on. Milliseconds. */
const downTimeoutMs = 30_000;

const down = async ({ dataDir, output }: CommandContext): Promise<void> => {
  const state = await readRunningState(dataDir);
  if (state === undefined) throw new NotFound(`no Millrace runs on ${dataDir}`);
  process.kill(state.pid, 'SIGTERM');
  const deadline = Date.now() + downTimeoutMs;
  while (isAlive(state.pid)) {
    if (Date.now() > deadline) throw new Internal(`process ${state.pid} does not end`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  output.result({ stopped: state.pid }, () => output.write('Millrace is down'));
};

const restart = async ({ dataDir, output }: CommandContext, services: readonly string[]): Promise<void> => {
  const state = await readRunningState(dataDir);
  if (state === undefined) throw new NotFound(`no Millrace runs on ${dataDir}`);
  if (state.mode === 'embedded') {
    throw new FailedPrecondition('all services are one process, which cannot stand in for itself', {
      hint: 'Use `millrace down` and `millrace up`, or run them apart: `millrace up --separate`.',
    });
  }
  const restarted: { readonly service: string; readonly tookMs: number }[] = [];
  let last: ControlAnswer | undefined;
  try {
    for await (const answer of orderRestart(dataDir, services)) {
      last = answer;
      if (!('restarted' in answer)) continue;
      restarted.push({ service: answer.restarted, tookMs: answer.tookMs });
      output.note(pc.dim(`${answer.restarted} after ${answer.tookMs} ms`));
    }
  } catch (thrown) {
    throw new Unavailable(`process ${state.pid} takes no orders: ${messageOf(thrown)}`, { cause: thrown });
  }
  if (last !== undefined && 'failed' in last) throw errorFromJson(last.failed as ErrorJson);
  if (last === undefined || !('done' in last)) throw new Unavailable('the supervisor ended meanwhile');
  output.result(restarted, () => output.write(`${pc.green('restarted')} ${restarted.length} services`));
};

const status = async (context: CommandContext): Promise<void> => {
  const client = await context.client();
  const services = await client.status();
  context.output.result({ url: client.url, services }, () => {
    context.output.table(
      ['SERVICE', 'STATE'],
      Object.entries(services).map(([name, { ready, problems }]) => [
        name,
        ready
          ? 'ready'
          : Object.entries(problems)
              .map(([part, text]) => `${part}: ${text}`)
              .join('; '),
      ]),
      'no services',
    );
  });
};

export const lifecycleCommands = (program: Command): void => {
  program
    .command('up')
    .description('start all services on this machine')
    .option('-p, --port <port>', 'port of the gateway (default 7700; 0: any free one)', wholeNumber)
    .option('--separate', 'one process per service instead of one for all')
    .option('--tls', 'with --separate: mutual TLS between them, with certificates of their own')
    .option('-d, --detach', 'return once it answers; end it with `millrace down`')
    .action(action(up));
  program.command('down').description('end the Millrace of this data directory').action(action(down));
  program
    .command('restart')
    .description(
      'replace services that run apart by new processes, one after the other, without a failed call',
    )
    .argument('[services...]', 'default all')
    .action(action(restart));
  program.command('status').description('readiness of every service').action(action(status));
};
